//! What it takes to publish to one of many topics.

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
    cases::{Case, fill},
    crowd::{Crowd, runtime},
    deliveries::{SIZE, message, wire_size},
    many_topics::distinct,
    measure::{Spent, Stopwatch, grouped},
    publish_subscribers::receive,
};
use crate::{report::Table, scenarios::Bench};

/// So many messages are published before they are read: as many as there are topics in the smallest case.
const BATCH: usize = 10;
/// Messages that a broadcast holds; at most a batch is in it.
const CAPACITY: usize = 16;

/// Where a batch goes.
#[derive(Clone, Copy, Debug)]
enum Target {
    OneTopic,
    TenTopics,
    RandomTopics,
    /// As above, with what one writes by hand.
    RandomBroadcasts,
}

/// A hub with one subscriber on each of many topics, all of them waiting.
struct Field {
    publisher: Publisher,
    crowd: Crowd,
    /// Bytes that have been published.
    published: usize,
}

enum Publisher {
    Hub(Hub),
    Broadcasts(RwLock<HashMap<String, broadcast::Sender<Bytes>>>),
}

pub(super) fn run(bench: &Bench) -> Vec<Table> {
    let targets = [
        Target::OneTopic,
        Target::TenTopics,
        Target::RandomTopics,
        Target::RandomBroadcasts,
    ];
    targets.map(|target| table(bench, target)).into()
}

fn table(bench: &Bench, target: Target) -> Table {
    let sizes = bench.size([10, 1_000, 100_000], [10, 100, 1_000]);
    let batches = bench.size(20_000, 50);
    let row = |topics: usize| format!("{} topics", grouped(topics));
    let mut table = Table::new(target.name(), target.title(), target.caption())
        .column("publish", "ns")
        .column("publish, CPU", "ns")
        .column("read", "ns")
        .column("read, CPU", "ns")
        .ratio(1, &row(sizes[0]));
    "topics, with one subscriber each".clone_into(&mut table.subject);
    let cases =
        sizes.map(|topics| Case::new(row(topics), move || measure(topics, target, batches)));
    fill(bench, table, cases)
}

/// Nanoseconds for each message: to publish it and to read it, wall and CPU.
fn measure(topics: usize, target: Target, batches: usize) -> Result<Vec<f64>> {
    let own = Stopwatch::own();
    runtime()?.block_on(async {
        let mut field = match target {
            Target::RandomBroadcasts => Field::of_broadcasts(topics).await,
            _ => Field::of_hub(topics).await?,
        };
        let mut random = Rng::with_seed(1);
        let size = wire_size();
        let (mut publishing, mut reading) = (Spent::default(), Spent::default());
        for _ in 0..batches {
            // Made here and not before, as by whoever publishes: from memory that is in the processor's cache.
            let batch: Vec<(Message, Topics)> = target
                .choose(topics, &mut random)
                .into_iter()
                .map(|topic| (message(), name(topic)))
                .collect();
            let watch = Stopwatch::start();
            for (message, topics) in batch {
                field.publisher.publish(message, topics).await?;
            }
            publishing += watch.stop();
            let watch = Stopwatch::start();
            field.read(size).await?;
            reading += watch.stop();
        }
        let messages = batches * BATCH;
        let [publish, publish_cpu] = publishing.without(own, batches).each(messages);
        let [read, read_cpu] = reading.without(own, batches).each(messages);
        Ok(vec![publish, publish_cpu, read, read_cpu])
    })
}

impl Field {
    async fn of_hub(topics: usize) -> Result<Self> {
        let joe = Arc::new(Joe::new());
        let crowd = Crowd::default();
        for topic in 0..topics {
            crowd.follow(joe.subscribe(Subscription::to(name(topic))).await?);
        }
        crowd.gather(topics).await;
        Ok(Self {
            publisher: Publisher::Hub(Hub::new(joe)),
            crowd,
            published: 0,
        })
    }

    async fn of_broadcasts(topics: usize) -> Self {
        let crowd = Crowd::default();
        let mut senders = HashMap::new();
        for topic in 0..topics {
            let sender = broadcast::Sender::new(CAPACITY);
            receive(&crowd, sender.subscribe());
            senders.insert(format!("topic-{topic}"), sender);
        }
        crowd.gather(topics).await;
        Self {
            publisher: Publisher::Broadcasts(RwLock::new(senders)),
            crowd,
            published: 0,
        }
    }

    /// Waits until every message of a batch has been read, and none twice.
    async fn read(&mut self, size: usize) -> Result<()> {
        self.published += BATCH * size;
        self.crowd.until(self.published).await
    }
}

impl Publisher {
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

impl Target {
    fn name(self) -> &'static str {
        match self {
            Self::OneTopic => "publish-one-topic",
            Self::TenTopics => "publish-ten-topics",
            Self::RandomTopics => "publish-random-topics",
            Self::RandomBroadcasts => "publish-random-broadcasts",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::OneTopic => "Publishing to one topic of many, always the same",
            Self::TenTopics => "Publishing to ten topics of many, always the same",
            Self::RandomTopics => "Publishing to a random topic of many",
            Self::RandomBroadcasts => {
                "Publishing to a random topic of many, with a map of tokio broadcasts"
            }
        }
    }

    fn caption(self) -> String {
        let target = match self {
            Self::OneTopic => {
                "The ten messages of a batch go to one topic, always the same: the first wakes its subscriber, the others find it \
                 woken, and it reads all ten in one piece."
            }
            Self::TenTopics => {
                "The ten messages of a batch go to ten topics, always the same, so each wakes a subscriber: against ten topics \
                 in all, this shows what the number of topics costs by itself."
            }
            Self::RandomTopics => {
                "The ten messages of a batch go to ten different random topics, so each wakes a subscriber that has not been \
                 looked at for long: with many topics this includes fetching topic, queue and task from memory."
            }
            Self::RandomBroadcasts => {
                "The same as above with what one writes by hand, a locked `HashMap` with a tokio `broadcast` for each topic: what \
                 fetching from memory costs others. Each receiver of it is a task."
            }
        };
        format!(
            "Each topic has one subscriber, a task on the runtime of one thread that also publishes. Messages with {SIZE} bytes of data are \
             published in batches of ten and then read. {target} \"publish\" is the publisher's own time for a message, from the message and its \
             topic to the return of the call, with encoding and waking; \"read\" is what follows until its task has run \
             and waits again. The clocks' own time is subtracted. Every delivery is accounted for."
        )
    }

    /// The topics of a batch.
    fn choose(self, topics: usize, random: &mut Rng) -> Vec<usize> {
        match self {
            Self::OneTopic => vec![0; BATCH],
            Self::TenTopics => (0..BATCH).collect(),
            Self::RandomTopics | Self::RandomBroadcasts => distinct(BATCH, topics, random),
        }
    }
}

fn name(topic: usize) -> Topics {
    Topics::from(format!("topic-{topic}"))
}
