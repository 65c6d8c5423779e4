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
    report::{Table, whole},
    rounds::Bench,
};

/// Messages that are published before they are read: as many as there are topics in the smallest
/// case.
const BATCH: usize = 10;
/// Messages that a broadcast holds; at most a batch is in it.
const CAPACITY: usize = 16;

/// The target of a batch.
#[derive(Clone, Copy)]
enum Target {
    OneTopic,
    TenTopics,
    RandomTopics,
    /// As above, with what one writes by hand.
    RandomBroadcasts,
}

/// Target, name, title, and a part of the caption.
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
    let rows = sizes.map(|topics| (format!("{} topics", whole(topics)), topics));
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

/// Nanoseconds for each message: to publish it and to read it, wall and CPU.
async fn measure(topics: usize, target: Target, batches: usize) -> Result<[f64; 4]> {
    let own = Stopwatch::own();
    let readers = Readers::default();
    let publisher = Publisher::new(target, topics, &readers).await?;
    let mut random = Rng::with_seed(1);
    let size = message().to_bytes().len();
    let (mut publishing, mut reading) = (Spent::default(), Spent::default());
    for batch in 1..=batches {
        let chosen = match target {
            Target::OneTopic => vec![0; BATCH],
            Target::TenTopics => (0..BATCH).collect(),
            Target::RandomTopics | Target::RandomBroadcasts => distinct(BATCH, topics, &mut random),
        };
        // Made here and not before, as by whoever publishes: from memory that is in the
        // processor's cache.
        let chosen = chosen
            .into_iter()
            .map(|topic| (message(), topic_of(topic).into()));
        let messages: Vec<(Message, Topics)> = chosen.collect();
        let watch = Stopwatch::thread();
        for (message, topics) in messages {
            publisher.publish(message, topics).await?;
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

enum Publisher {
    Hub(Hub),
    Broadcasts(RwLock<HashMap<String, broadcast::Sender<Bytes>>>),
}

impl Publisher {
    /// A publisher with one subscriber on each of many topics, all of them waiting.
    async fn new(target: Target, topics: usize, readers: &Readers) -> Result<Self> {
        let publisher = if let Target::RandomBroadcasts = target {
            let mut senders = HashMap::new();
            for topic in 0..topics {
                let sender = broadcast::Sender::new(CAPACITY);
                receive(readers, sender.subscribe());
                senders.insert(topic_of(topic), sender);
            }
            Self::Broadcasts(RwLock::new(senders))
        } else {
            let joe = Arc::new(Joe::new());
            for topic in 0..topics {
                readers.follow(joe.subscribe(Subscription::to(topic_of(topic))).await?);
            }
            Self::Hub(Hub::new(joe))
        };
        readers.gather(topics).await;
        Ok(publisher)
    }

    async fn publish(&self, message: Message, topics: Topics) -> Result<()> {
        match self {
            Self::Hub(hub) => {
                hub.publish(message, topics).await?;
            }
            Self::Broadcasts(senders) => {
                let bytes = message.to_bytes();
                let senders = senders.read().unwrap_or_else(PoisonError::into_inner);
                for sender in topics.iter().filter_map(|topic| senders.get(topic)) {
                    sender.send(bytes.clone())?;
                }
            }
        }
        Ok(())
    }
}

fn topic_of(number: usize) -> String {
    format!("topic-{number}")
}
