//! The cost of messages with known readers, one after the other: all subscribers on one topic, and
//! subscribers of several topics each.

use std::{iter::repeat_n, sync::Arc, time::Duration};

use anyhow::Result;
use bytes::Bytes;
use fastrand::Rng;
use sse_core::{Hub, Joe, Message, Subscription, Topics, provider::Provider as _};
use tokio::sync::{broadcast, mpsc};
use tokio_stream::wrappers::ReceiverStream;

use super::readers::{Readers, runtime};
use crate::{
    clock::{self, Spent, Stopwatch, real},
    payload::SIZE,
    report::Table,
    rounds::Bench,
};

const COLUMNS: &str = "publish returns, ns; each delivery, ns; each delivery, CPU, ns";

/// Makes a message with [`SIZE`] bytes of data.
pub(super) fn message() -> Message {
    Message::data("x".repeat(SIZE))
}

/// Publishes a message to each target and waits until this number of readers have read it, before
/// the next. The first warms up.
///
/// Returns nanoseconds until publishing returns; and for each delivery, wall and CPU, everything
/// from the making of the message until all have read it. It is an error if a delivery is missing
/// or was doubled.
async fn deliver<T>(
    readers: &Readers,
    targets: impl IntoIterator<Item = (T, usize)>,
    publish: impl AsyncFn(Message, T) -> Result<()>,
) -> Result<[f64; 3]> {
    let size = message().to_bytes().len();
    let mut targets = targets.into_iter();
    let mut expected = readers.bytes();
    if let Some((target, count)) = targets.next() {
        publish(message(), target).await?;
        expected += count * size;
        readers.until(expected).await?;
    }
    let (mut messages, mut deliveries, mut publishing) = (0, 0, 0);
    let watch = Stopwatch::thread();
    for (target, count) in targets {
        let message = message();
        let began = clock::now();
        publish(message, target).await?;
        publishing += clock::now() - began;
        messages += 1;
        deliveries += count;
        expected += count * size;
        readers.until(expected).await?;
    }
    let spent = watch.spent();
    // The clock is read twice for each message; the time between includes about one reading.
    let wall = Stopwatch::own().wall;
    let publish = real(publishing) / real(messages) - wall;
    let reading = Spent { wall, cpu: wall };
    let [wall, cpu] = spent.without(reading, messages * 2).each(deliveries);
    Ok([publish, wall, cpu])
}

const TOPIC: &str = "news";
/// The capacity of a peer's channels, which here never hold more than one message.
const CAPACITY: usize = 16;
/// An interval for a keep-alive that is set, but never due while anything is measured.
const KEEP_ALIVE: Duration = Duration::from_hours(1);

/// The way of a message to all subscribers.
#[derive(Clone, Copy)]
enum Way {
    Subscribers,
    Bodies,
    Broadcast,
    Channels,
}

const WAYS: [(&str, Way); 4] = [
    ("Subscriber", Way::Subscribers),
    ("SseBody with keep-alive", Way::Bodies),
    ("tokio broadcast", Way::Broadcast),
    ("tokio mpsc for each", Way::Channels),
];

/// Reaches all subscribers of one topic.
pub(crate) fn publish_subscribers(bench: &Bench) -> Result<Vec<Table>> {
    // Subscribers, and messages to each.
    let full = [(1, 20_000), (100, 2_000), (10_000, 50), (1_000_000, 3)];
    let quick = [(1, 100), (100, 20), (1_000, 5), (10_000, 2)];
    let sizes = bench.size(full, quick);
    let tables = sizes.map(|(subscribers, messages)| {
        let (noun, each) = match subscribers {
            1 => ("subscriber", "which is"),
            _ => ("subscribers", "each of them"),
        };
        let table = Table::new(
            &format!("publish-subscribers-{subscribers}"),
            &format!("One topic, {subscribers} {noun}"),
            format!(
                "A message with {SIZE} bytes of data goes to {subscribers} {noun}, {each} a task on the runtime of one thread that also publishes; \
                 the next one is published when all have read it. \"publish returns\" begins with a message that is not encoded yet. \
                 \"each delivery\" is everything, from the making of the message until all tasks have read it and wait again, divided by \
                 the number of deliveries. The peers carry the same bytes, encoded once: a receiver of one tokio `broadcast` for each \
                 subscriber, and one tokio `mpsc` channel for each. Every delivery is accounted for."
            ),
            COLUMNS,
        )
        .ratios(2, &["tokio broadcast"]);
        bench.fill(table, WAYS, |way| runtime()?.block_on(reach_all(*way, subscribers, messages)))
    });
    Ok(tables.into())
}

async fn reach_all(way: Way, subscribers: usize, messages: usize) -> Result<[f64; 3]> {
    let readers = Readers::default();
    let joe = Arc::new(Joe::new());
    let builder = Hub::builder(Arc::clone(&joe)).keep_alive(KEEP_ALIVE);
    let hub = builder.build();
    let broadcast = broadcast::Sender::<Bytes>::new(CAPACITY);
    let mut channels = Vec::new();
    for _ in 0..subscribers {
        match way {
            Way::Subscribers => readers.follow(joe.subscribe(Subscription::to(TOPIC)).await?),
            Way::Bodies => readers.follow(hub.subscribe(Subscription::to(TOPIC)).await?),
            Way::Broadcast => receive(&readers, broadcast.subscribe()),
            Way::Channels => {
                let (sender, receiver) = mpsc::channel::<Bytes>(CAPACITY);
                channels.push(sender);
                readers.follow(ReceiverStream::new(receiver));
            }
        }
    }
    readers.gather(subscribers).await;
    let publish = async |message: Message, ()| {
        match way {
            Way::Subscribers | Way::Bodies => drop(hub.publish(message, TOPIC).await?),
            Way::Broadcast => drop(broadcast.send(message.to_bytes())?),
            Way::Channels => {
                let bytes = message.to_bytes();
                for sender in &channels {
                    sender.try_send(bytes.clone())?;
                }
            }
        }
        Ok(())
    };
    deliver(&readers, repeat_n(((), subscribers), messages + 1), publish).await
}

/// Starts a task that reads a receiver until it lags, after which deliveries are missing.
pub(super) fn receive(readers: &Readers, mut receiver: broadcast::Receiver<Bytes>) {
    let readers = readers.clone();
    tokio::spawn(async move {
        readers.start();
        while let Ok(bytes) = receiver.recv().await {
            readers.read(bytes.len());
        }
    });
}

/// Reaches subscribers that listen to several topics each.
pub(crate) fn many_topics(bench: &Bench) -> Result<Vec<Table>> {
    Ok(vec![random_choices(bench), global_and_user(bench)])
}

/// Lets subscribers make a random choice of topics.
fn random_choices(bench: &Bench) -> Table {
    let (subscribers, choice, topics) = bench.size((10_000, 100, 1_000), (1_000, 10, 100));
    let messages = bench.size(200, 10);
    // As many subscribers of each message, which have no other topic.
    let matching = subscribers * choice / topics;
    let one_name = format!("{matching} subscribers of one topic");
    let many_name = format!("{subscribers} subscribers of {choice} topics each, out of {topics}");
    let table = Table::new(
        "many-topics",
        "Many topics per subscriber",
        format!(
            "Each subscriber has its own random choice of topics and is a task on the runtime of one thread that also publishes. \
             Messages with {SIZE} bytes of data go to a random topic each; the next one is published when all its listeners have \
             read it. For comparison, as many matching subscribers that have no other topic. Every delivery is accounted for."
        ),
        COLUMNS,
    )
    .ratios(2, &[&one_name])
    .subject("subscribers");
    let rows = [
        (one_name, (matching, 1, 1)),
        (many_name, (subscribers, choice, topics)),
    ];
    bench.fill(table, rows, |&(subscribers, choice, topics)| {
        let mut random = Rng::with_seed(1);
        let choose = |_| distinct(choice, topics, &mut random);
        let choices: Vec<Vec<usize>> = (0..subscribers).map(choose).collect();
        let mut matching = vec![0; topics];
        choices
            .iter()
            .flatten()
            .for_each(|topic| matching[*topic] += 1);
        let topic = |number| format!("topic-{number}");
        let subscriptions = choices.into_iter();
        let subscriptions = subscriptions.map(|it| it.into_iter().map(topic).collect());
        let targets = (0..=messages).map(|_| {
            let number = random.usize(..topics);
            (topic(number).into(), matching[number])
        });
        runtime()?.block_on(reach(subscriptions, targets))
    })
}

/// Chooses different numbers below a bound.
pub(super) fn distinct(count: usize, below: usize, random: &mut Rng) -> Vec<usize> {
    let mut chosen = Vec::with_capacity(count);
    while chosen.len() < count.min(below) {
        let number = random.usize(..below);
        if !chosen.contains(&number) {
            chosen.push(number);
        }
    }
    chosen
}

/// Puts each subscriber on a common topic and on one that nobody else has.
fn global_and_user(bench: &Bench) -> Table {
    let users = bench.size(100_000, 1_000);
    let table = Table::new(
        "global-and-user",
        "Everyone on a common topic and on one of their own",
        format!(
            "{users} subscribers, each on `global` and on a topic of its own, `user:N`, each a task on the runtime of one thread that \
             also publishes. Messages with {SIZE} bytes of data go to `global` or to a random user; the next one is published when all its \
             listeners have read it. Every delivery is accounted for."
        ),
        COLUMNS,
    )
    .subject("published to");
    let rows = [
        (format!("`global`, to {users}"), (true, bench.size(10, 5))),
        (
            format!("`user:N`, to one of {users}"),
            (false, bench.size(20_000, 100)),
        ),
    ];
    bench.fill(table, rows, |&(is_global, messages)| {
        let user = |number| format!("user:{number}");
        let subscriptions = (0..users).map(|number| ["global".to_owned(), user(number)].into());
        let mut random = Rng::with_seed(1);
        let targets = (0..=messages).map(|_| {
            if is_global {
                ("global".into(), users)
            } else {
                (user(random.usize(..users)).into(), 1)
            }
        });
        runtime()?.block_on(reach(subscriptions, targets))
    })
}

/// Subscribes to these topics and publishes to the targets, each with the number of its
/// subscribers.
async fn reach(
    subscriptions: impl ExactSizeIterator<Item = Topics>,
    targets: impl Iterator<Item = (Topics, usize)>,
) -> Result<[f64; 3]> {
    let joe = Arc::new(Joe::new());
    let readers = Readers::default();
    let count = subscriptions.len();
    for topics in subscriptions {
        readers.follow(joe.subscribe(Subscription::to(topics)).await?);
    }
    readers.gather(count).await;
    let hub = Hub::new(joe);
    let publish = async |message, topics: Topics| {
        hub.publish(message, topics).await?;
        Ok(())
    };
    deliver(&readers, targets, publish).await
}
