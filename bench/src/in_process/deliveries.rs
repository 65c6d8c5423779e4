//! Messages with known readers, one after the other, and what they take: everyone on one topic, and
//! subscribers of several topics each.

use std::{iter::repeat_n, sync::Arc, time::Duration};

use anyhow::Result;
use bytes::Bytes;
use fastrand::Rng;
use sse_core::{Hub, Joe, Message, Subscription, Topics, provider::Provider as _};
use tokio::sync::{broadcast, mpsc};

use super::readers::{Readers, runtime};
use crate::{
    clock::{self, Spent, Stopwatch, real},
    payload::SIZE,
    report::{Table, whole},
    rounds::Bench,
};

const COLUMNS: &str = "publish returns, ns; each delivery, ns; each delivery, CPU, ns";

/// A message with [`SIZE`] bytes of data.
pub(super) fn message() -> Message {
    Message::data("x".repeat(SIZE))
}

/// Publishes a message to each target and waits until this number of readers have read it, before
/// the next. The first warms up.
///
/// Nanoseconds until publishing returns; and for each delivery, wall and CPU, everything from the
/// making of the message until all have read it. An error says that a delivery is missing or was
/// doubled.
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
    // Two looks at the clock for each message; what they measure includes about one.
    let look = Stopwatch::own().wall;
    let looks = Spent {
        wall: look * 2.0,
        cpu: look * 2.0,
    };
    let publish = real(publishing) / real(messages) - look;
    let [wall, cpu] = spent.without(looks, messages).each(deliveries);
    Ok([publish, wall, cpu])
}

const TOPIC: &str = "news";
/// Messages that a peer's channels hold; here there is never more than one in them.
const CAPACITY: usize = 16;
/// On, so that it is set and carried along, but not due while anything is measured.
const KEEP_ALIVE: Duration = Duration::from_hours(1);

/// The way of a message to everyone.
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

/// Reaching everyone who listens to one topic.
pub(crate) fn publish_subscribers(bench: &Bench) -> Result<Vec<Table>> {
    // Subscribers, and messages to each.
    let full = [(1, 20_000), (100, 2_000), (10_000, 50), (1_000_000, 3)];
    let quick = [(1, 100), (100, 20), (1_000, 5), (10_000, 2)];
    let sizes = bench.size(full, quick);
    let tables = sizes.map(|(subscribers, messages)| {
        let count = whole(subscribers);
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
            COLUMNS,
        )
        .ratios(2, &["tokio broadcast"]);
        bench.fill(table, WAYS, |way| runtime()?.block_on(reach_all(*way, subscribers, messages)))
    });
    Ok(tables.into())
}

async fn reach_all(way: Way, subscribers: usize, messages: usize) -> Result<[f64; 3]> {
    let readers = Readers::default();
    let targets = repeat_n(((), subscribers), messages + 1);
    match way {
        Way::Subscribers | Way::Bodies => {
            let joe = Arc::new(Joe::new());
            let builder = Hub::builder(Arc::clone(&joe)).keep_alive(KEEP_ALIVE);
            let hub = builder.build();
            for _ in 0..subscribers {
                let subscription = Subscription::to(TOPIC);
                match way {
                    Way::Bodies => readers.follow(hub.subscribe(subscription).await?),
                    _ => readers.follow(joe.subscribe(subscription).await?),
                }
            }
            readers.gather(subscribers).await;
            let publish = async |message, ()| publish(&hub, message, TOPIC).await;
            deliver(&readers, targets, publish).await
        }
        Way::Broadcast => {
            let sender = broadcast::Sender::<Bytes>::new(CAPACITY);
            for _ in 0..subscribers {
                receive(&readers, sender.subscribe());
            }
            readers.gather(subscribers).await;
            let publish = async |message: Message, ()| {
                sender.send(message.to_bytes())?;
                Ok(())
            };
            deliver(&readers, targets, publish).await
        }
        Way::Channels => {
            let mut senders = Vec::with_capacity(subscribers);
            for _ in 0..subscribers {
                senders.push(channel(&readers));
            }
            readers.gather(subscribers).await;
            let publish = async |message: Message, ()| {
                let bytes = message.to_bytes();
                for sender in &senders {
                    sender.try_send(bytes.clone())?;
                }
                Ok(())
            };
            deliver(&readers, targets, publish).await
        }
    }
}

async fn publish(hub: &Hub, message: Message, topics: impl Into<Topics>) -> Result<()> {
    hub.publish(message, topics).await?;
    Ok(())
}

/// Starts a task that reads a receiver; one that is lagging counts as having read nothing.
pub(super) fn receive(readers: &Readers, mut receiver: broadcast::Receiver<Bytes>) {
    let readers = readers.clone();
    tokio::spawn(async move {
        readers.start();
        while let Ok(bytes) = receiver.recv().await {
            readers.read(bytes.len());
        }
    });
}

/// Starts a task that reads a channel of its own.
fn channel(readers: &Readers) -> mpsc::Sender<Bytes> {
    let (sender, mut receiver) = mpsc::channel::<Bytes>(CAPACITY);
    let readers = readers.clone();
    tokio::spawn(async move {
        readers.start();
        while let Some(bytes) = receiver.recv().await {
            readers.read(bytes.len());
        }
    });
    sender
}

/// Reaching subscribers that listen to several topics each.
pub(crate) fn many_topics(bench: &Bench) -> Result<Vec<Table>> {
    Ok(vec![random_choices(bench), global_and_user(bench)])
}

/// The subscribers and their topics.
struct Pattern {
    subscribers: usize,
    /// The number of topics that each subscriber has.
    own: usize,
    /// Out of this number.
    topics: usize,
    messages: usize,
}

fn random_choices(bench: &Bench) -> Table {
    let scale = bench.size(1, 10);
    let many = Pattern {
        subscribers: 10_000 / scale,
        own: 100 / scale,
        topics: 1_000 / scale,
        messages: bench.size(200, 10),
    };
    // As many subscribers for each message as above.
    let one = Pattern {
        subscribers: many.subscribers * many.own / many.topics,
        own: 1,
        topics: 1,
        messages: many.messages,
    };
    let one_name = format!("{} subscribers of one topic", whole(one.subscribers));
    let many_name = format!(
        "{} subscribers of {} topics each, out of {}",
        whole(many.subscribers),
        many.own,
        whole(many.topics)
    );
    let table = Table::new(
        "many-topics",
        "Many topics per subscriber",
        format!(
            "Each subscriber has its own random choice of topics and is a task on the runtime of one thread that also publishes. \
             Messages with {SIZE} bytes of data go to a random topic each; the next one is published when all who listen to it have \
             read it. Beside it, as many matching subscribers that have no other topic. Every delivery is accounted for."
        ),
        COLUMNS,
    )
    .ratios(2, &[&one_name])
    .subject("subscribers");
    let rows = [(one_name, one), (many_name, many)];
    bench.fill(table, rows, |pattern| runtime()?.block_on(choices(pattern)))
}

async fn choices(pattern: &Pattern) -> Result<[f64; 3]> {
    let joe = Arc::new(Joe::new());
    let readers = Readers::default();
    let mut random = Rng::with_seed(1);
    let mut matching = vec![0; pattern.topics];
    let topic = |number| format!("topic-{number}");
    for _ in 0..pattern.subscribers {
        let own = distinct(pattern.own, pattern.topics, &mut random);
        for topic in &own {
            matching[*topic] += 1;
        }
        let topics: Topics = own.into_iter().map(topic).collect();
        readers.follow(joe.subscribe(Subscription::to(topics)).await?);
    }
    readers.gather(pattern.subscribers).await;
    let hub = Hub::new(joe);
    let targets = (0..=pattern.messages).map(|_| {
        let number = random.usize(..pattern.topics);
        (Topics::from(topic(number)), matching[number])
    });
    deliver(&readers, targets, async |message, topics| {
        publish(&hub, message, topics).await
    })
    .await
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

#[derive(Clone, Copy)]
enum Aim {
    Global,
    User,
}

/// Everybody on one topic and on one of their own.
fn global_and_user(bench: &Bench) -> Table {
    let users = bench.size(100_000, 1_000);
    let count = whole(users);
    let table = Table::new(
        "global-and-user",
        "Everyone on a common topic and on one of their own",
        format!(
            "{count} subscribers, each on `global` and on a topic of its own, `user:N`, each a task on the runtime of one thread that \
             also publishes. Messages with {SIZE} bytes of data go to `global` or to a random user; the next one is published when all who \
             listen to it have read it. Every delivery is accounted for."
        ),
        COLUMNS,
    )
    .subject("published to");
    let rows = [
        (
            format!("`global`, to {count}"),
            (Aim::Global, bench.size(10, 5)),
        ),
        (
            format!("`user:N`, to one of {count}"),
            (Aim::User, bench.size(20_000, 100)),
        ),
    ];
    bench.fill(table, rows, |&(aim, messages)| {
        runtime()?.block_on(reach(users, aim, messages))
    })
}

async fn reach(users: usize, aim: Aim, messages: usize) -> Result<[f64; 3]> {
    let joe = Arc::new(Joe::new());
    let readers = Readers::default();
    let user = |number| format!("user:{number}");
    for number in 0..users {
        let topics = ["global".to_owned(), user(number)];
        readers.follow(joe.subscribe(Subscription::to(topics)).await?);
    }
    readers.gather(users).await;
    let hub = Hub::new(joe);
    let mut random = Rng::with_seed(1);
    let targets = (0..=messages).map(|_| match aim {
        Aim::Global => (Topics::from("global"), users),
        Aim::User => (user(random.usize(..users)).into(), 1),
    });
    deliver(&readers, targets, async |message, topics| {
        publish(&hub, message, topics).await
    })
    .await
}
