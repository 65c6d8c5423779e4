//! Publishing to one of many topics.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use anyhow::Result;
use bytes::Bytes;
use fastrand::Rng;
use sse_core::{Hub, Joe, Message, Subscription, Topics, provider::Provider as _};
use tokio::sync::broadcast;

use super::{
    deliveries::{distinct, message, receive},
    readers::{Readers, runtime},
};
use crate::{
    clock::{Spent, Stopwatch},
    payload::SIZE,
    report::Table,
    rounds::Bench,
};

/// Messages that are published before they are read: the number of topics in the smallest case.
const BATCH: usize = 10;
/// The capacity of a broadcast, which holds at most a batch.
const CAPACITY: usize = 16;

/// The target of a batch.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Target {
    OneTopic,
    TenTopics,
    RandomTopics,
    /// Random topics, each of which is a broadcast in a map.
    RandomBroadcasts,
}

/// The target, the name, the title, and a part of the caption of each table.
const TABLES: [(Target, &str, &str, &str); 4] = [
    (
        Target::OneTopic,
        "publish-one-topic",
        "Publishing to one topic of many, always the same",
        "The ten messages of a batch go to one topic, always the same: the first wakes its subscriber, the others find it \
         woken, and it reads all ten in one piece.",
    ),
    (
        Target::TenTopics,
        "publish-ten-topics",
        "Publishing to ten topics of many, always the same",
        "The ten messages of a batch go to ten topics, always the same, so each wakes a subscriber: against ten topics \
         in all, this shows what the number of topics costs by itself.",
    ),
    (
        Target::RandomTopics,
        "publish-random-topics",
        "Publishing to a random topic of many",
        "The ten messages of a batch go to ten different random topics, so each wakes a subscriber that has not been \
         looked at for long: with many topics this includes fetching topic, queue and task from memory.",
    ),
    (
        Target::RandomBroadcasts,
        "publish-random-broadcasts",
        "Publishing to a random topic of many, with a map of tokio broadcasts",
        "The same as above with what one writes by hand, a locked `HashMap` with a tokio `broadcast` for each topic: what \
         fetching from memory costs others. Each receiver of it is a task.",
    ),
];

pub(crate) fn publish_topics(bench: &Bench) -> Result<Vec<Table>> {
    let sizes = bench.size([10, 1_000, 100_000], [10, 100, 1_000]);
    let batches = bench.size(20_000, 50);
    let rows = sizes.map(|topics| (format!("{topics} topics"), topics));
    let tables = TABLES.map(|(target, name, title, kind)| {
        let caption = format!(
            "Each topic has one subscriber, a task on the runtime of one thread that also publishes. Messages with {SIZE} bytes of data are \
             published in batches of ten and then read. {kind} \"publish\" is the publisher's own time for a message, from the message and its \
             topic to the return of the call, with encoding and waking; \"read\" is what follows until its task has run \
             and waits again. The clocks' own time is subtracted. Every delivery is accounted for."
        );
        let columns = "publish, ns; publish, CPU, ns; read, ns; read, CPU, ns";
        let table = Table::new(name, title, caption, columns)
            .ratios(1, &[&rows[0].0])
            .subject("topics, with one subscriber each");
        bench.fill(table, rows.clone(), |topics| {
            runtime()?.block_on(measure(*topics, target, batches))
        })
    });
    Ok(tables.into())
}

/// Returns nanoseconds for each message: to publish it and to read it, wall and CPU.
async fn measure(topics: usize, target: Target, batches: usize) -> Result<[f64; 4]> {
    let own = Stopwatch::own();
    let readers = Readers::default();
    let joe = Arc::new(Joe::new());
    let mut senders = HashMap::new();
    for name in (0..topics).map(topic_of) {
        if target == Target::RandomBroadcasts {
            let sender = broadcast::Sender::<Bytes>::new(CAPACITY);
            receive(&readers, sender.subscribe());
            senders.insert(name, sender);
        } else {
            readers.follow(joe.subscribe(Subscription::to(name)).await?);
        }
    }
    readers.gather(topics).await;
    let (hub, senders) = (Hub::new(joe), RwLock::new(senders));
    let publish = async |message: Message, topics: Topics| {
        if target == Target::RandomBroadcasts {
            let bytes = message.to_bytes();
            let senders = senders.read().unwrap_or_else(PoisonError::into_inner);
            for sender in topics.iter().filter_map(|topic| senders.get(topic)) {
                sender.send(bytes.clone())?;
            }
        } else {
            hub.publish(message, topics).await?;
        }
        anyhow::Ok(())
    };
    let mut random = Rng::with_seed(1);
    let size = message().to_bytes().len();
    let (mut publishing, mut reading) = (Spent::default(), Spent::default());
    for batch in 1..=batches {
        let chosen = match target {
            Target::OneTopic => vec![0; BATCH],
            Target::TenTopics => (0..BATCH).collect(),
            Target::RandomTopics | Target::RandomBroadcasts => distinct(BATCH, topics, &mut random),
        };
        // Made here and not before, as applications do: from memory in the processor's cache.
        let topics = chosen.into_iter().map(|topic| topic_of(topic).into());
        let messages: Vec<(Message, Topics)> = topics.map(|it| (message(), it)).collect();
        let watch = Stopwatch::thread();
        for (message, topics) in messages {
            publish(message, topics).await?;
        }
        publishing += watch.spent();
        let watch = Stopwatch::thread();
        // Every message has been read, and none twice.
        readers.until(batch * BATCH * size).await?;
        reading += watch.spent();
    }
    let [publish, read] =
        [publishing, reading].map(|spent| spent.without(own, batches).each(batches * BATCH));
    Ok([publish[0], publish[1], read[0], read[1]])
}

fn topic_of(number: usize) -> String {
    format!("topic-{number}")
}
