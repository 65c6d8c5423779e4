//! What it takes to reach everyone who listens to one topic.

use std::{iter::repeat_n, sync::Arc, time::Duration};

use anyhow::Result;
use bytes::Bytes;
use sse_core::{Hub, Joe, Message, Subscription, provider::Provider as _};
use tokio::sync::{broadcast, mpsc};

use super::{
    cases::{Case, fill},
    crowd::{Crowd, runtime},
    deliveries::{SIZE, deliver},
    measure::grouped,
};
use crate::{report::Table, scenarios::Bench};

const TOPIC: &str = "news";
/// Messages that a peer's channels hold; here there is never more than one in them.
const CAPACITY: usize = 16;
/// On, so that it is set and carried along, but not due while anything is measured.
const KEEP_ALIVE: Duration = Duration::from_hours(1);

/// How a message gets to everyone.
#[derive(Clone, Copy, Debug)]
enum Way {
    Subscribers,
    Bodies,
    Broadcast,
    Channels,
}

const WAYS: [Way; 4] = [Way::Subscribers, Way::Bodies, Way::Broadcast, Way::Channels];

pub(super) fn run(bench: &Bench) -> Vec<Table> {
    // Subscribers, and messages to each.
    let full = [(1, 20_000), (100, 2_000), (10_000, 50), (1_000_000, 3)];
    let quick = [(1, 100), (100, 20), (1_000, 5), (10_000, 2)];
    let sizes = bench.size(full, quick);
    let tables = sizes.map(|(subscribers, messages)| table(bench, subscribers, messages));
    tables.into()
}

fn table(bench: &Bench, subscribers: usize, messages: usize) -> Table {
    let count = grouped(subscribers);
    let (noun, each) = match subscribers {
        1 => ("subscriber", "which is"),
        _ => ("subscribers", "each of them"),
    };
    let table = Table::new(
        &format!("publish-subscribers-{subscribers}"),
        &format!("One topic, {count} {noun}"),
        format!(
            "A message with {SIZE} bytes of data goes to {count} {noun}, {each} a task on the runtime of one thread that also publishes; \
             the next one is published when all have read it. \"publish returns\" begins with a message that is not encoded yet. \
             \"each delivery\" is everything, from the making of the message until all tasks have read it and wait again, divided by \
             the number of deliveries. The peers carry the same bytes, encoded once: a receiver of one tokio `broadcast` for each \
             subscriber, and one tokio `mpsc` channel for each. Every delivery is accounted for."
        ),
    )
    .column("publish returns", "ns")
    .column("each delivery", "ns")
    .column("each delivery, CPU", "ns")
    .ratio(2, Way::Broadcast.name());
    let cases = WAYS.map(|way| Case::new(way.name(), move || measure(way, subscribers, messages)));
    fill(bench, table, cases)
}

fn measure(way: Way, subscribers: usize, messages: usize) -> Result<Vec<f64>> {
    runtime()?.block_on(async {
        let crowd = Crowd::default();
        let round = Round {
            crowd: &crowd,
            subscribers,
            messages,
        };
        match way {
            Way::Subscribers => {
                let joe = Arc::new(Joe::new());
                for _ in 0..subscribers {
                    crowd.follow(joe.subscribe(Subscription::to(TOPIC)).await?);
                }
                round.of_hub(&Hub::new(joe)).await
            }
            Way::Bodies => {
                let hub = Hub::builder(Joe::new()).keep_alive(KEEP_ALIVE).build();
                for _ in 0..subscribers {
                    crowd.follow(hub.subscribe(Subscription::to(TOPIC)).await?);
                }
                round.of_hub(&hub).await
            }
            Way::Broadcast => {
                let sender = broadcast::Sender::<Bytes>::new(CAPACITY);
                for _ in 0..subscribers {
                    receive(&crowd, sender.subscribe());
                }
                round
                    .run(async |message| {
                        sender.send(message.to_bytes())?;
                        Ok(())
                    })
                    .await
            }
            Way::Channels => {
                let mut senders = Vec::with_capacity(subscribers);
                for _ in 0..subscribers {
                    senders.push(channel(&crowd));
                }
                round
                    .run(async |message| {
                        let bytes = message.to_bytes();
                        for sender in &senders {
                            sender.try_send(bytes.clone())?;
                        }
                        Ok(())
                    })
                    .await
            }
        }
    })
}

/// So many messages to everyone in the crowd.
#[derive(Clone, Copy)]
struct Round<'a> {
    crowd: &'a Crowd,
    subscribers: usize,
    messages: usize,
}

impl Round<'_> {
    async fn of_hub(self, hub: &Hub) -> Result<Vec<f64>> {
        self.run(async |message| {
            hub.publish(message, TOPIC).await?;
            Ok(())
        })
        .await
    }

    async fn run(self, publish: impl AsyncFn(Message) -> Result<()>) -> Result<Vec<f64>> {
        self.crowd.gather(self.subscribers).await;
        let targets = repeat_n(((), self.subscribers), self.messages + 1);
        deliver(self.crowd, targets, async |message, ()| {
            publish(message).await
        })
        .await
    }
}

impl Way {
    fn name(self) -> &'static str {
        match self {
            Self::Subscribers => "Subscriber",
            Self::Bodies => "SseBody with keep-alive",
            Self::Broadcast => "tokio broadcast",
            Self::Channels => "tokio mpsc for each",
        }
    }
}

/// A task that reads a receiver; one that is lagging counts as having read nothing.
pub(super) fn receive(crowd: &Crowd, mut receiver: broadcast::Receiver<Bytes>) {
    let crowd = crowd.clone();
    tokio::spawn(async move {
        crowd.start();
        while let Ok(bytes) = receiver.recv().await {
            crowd.read(bytes.len());
        }
    });
}

/// A task that reads a channel of its own.
fn channel(crowd: &Crowd) -> mpsc::Sender<Bytes> {
    let (sender, mut receiver) = mpsc::channel::<Bytes>(CAPACITY);
    let crowd = crowd.clone();
    tokio::spawn(async move {
        crowd.start();
        while let Some(bytes) = receiver.recv().await {
            crowd.read(bytes.len());
        }
    });
    sender
}
