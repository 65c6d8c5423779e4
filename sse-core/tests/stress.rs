//! Many threads publish, come, go, resume and fall behind, until one shuts down. Every delivery is
//! accounted for.

use std::{
    collections::BTreeMap,
    ops::RangeInclusive,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures_util::StreamExt;
use sse_conformance::{decode, in_time};
use sse_core::{
    EventId, FiniteReplayer, Joe, Message, Subscription, provider::Provider, resume::Outcome,
    wire::Decoder,
};
use tokio::task::{JoinSet, yield_now};

const PUBLISHERS: usize = 4;
const CLIENTS: u64 = 24;
const MESSAGES: usize = 5_000;
const TOPICS: usize = 12;

/// A small generator of numbers, with which a run can be repeated as far as threads allow.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap_or(0) % limit
    }

    /// Returns a few topics, one of which everybody has.
    fn topics(&mut self) -> Vec<String> {
        let count = 1 + self.below(4);
        (0..count)
            .map(|_| {
                format!(
                    "topic {}",
                    self.below(TOPICS) / (1 + self.below(2) * TOPICS)
                )
            })
            .collect()
    }
}

/// The published messages by their place in the order: the topics of each, and the moment at which
/// its publish began.
#[derive(Default)]
struct Ledger {
    messages: Mutex<BTreeMap<u64, (Vec<String>, usize)>>,
    clock: AtomicUsize,
}

impl Ledger {
    /// Returns the current moment. Later moments are greater.
    fn now(&self) -> usize {
        self.clock.fetch_add(1, Ordering::SeqCst)
    }

    fn enter(&self, number: u64, topics: Vec<String>, began: usize) {
        let mut messages = self.messages.lock().unwrap();
        messages.insert(number, (topics, began));
    }

    /// Returns the numbers of the messages that are for a client and were begun at or after a
    /// moment.
    fn expected(&self, topics: &[String], numbers: RangeInclusive<u64>, moment: usize) -> Vec<u64> {
        let messages = self.messages.lock().unwrap();
        let between = messages.range(numbers);
        between
            .filter(|(_, (of, began))| {
                *began >= moment && of.iter().any(|topic| topics.contains(topic))
            })
            .map(|(number, _)| *number)
            .collect()
    }
}

/// Returns the number of a message, in which its id in the history ends.
fn number(id: &str) -> u64 {
    let (_, number) = id.rsplit_once('-').unwrap();
    number.parse().unwrap()
}

/// The messages that a client has seen over all its connections.
struct Seen {
    topics: Vec<String>,
    /// The moment of its first subscription.
    since: usize,
    numbers: Vec<u64>,
    saw_the_end: bool,
}

async fn publish_some(joe: Arc<Joe>, ledger: Arc<Ledger>, mut random: Random) {
    for n in 0..MESSAGES {
        let topics = random.topics();
        let message = Message::data("x".repeat(random.below(200)));
        let began = ledger.now();
        let published = joe.publish(message, topics.clone().into()).await.unwrap();
        let number = number(published.id.unwrap().as_str());
        ledger.enter(number, topics, began);
        if n % 64 == 0 {
            yield_now().await;
        }
    }
}

/// A client that reads, pauses, goes away and comes back.
async fn follow(joe: Arc<Joe>, ledger: Arc<Ledger>, mut random: Random) -> Seen {
    let mut seen = Seen {
        topics: random.topics(),
        since: usize::MAX,
        numbers: Vec::new(),
        saw_the_end: false,
    };
    let mut last: Option<EventId> = None;
    loop {
        let subscription = Subscription::to(seen.topics.clone()).resume_from(last.clone());
        let Ok(mut subscriber) = joe.subscribe(subscription).await else {
            // Too late: the client would get the rest from the next process.
            return seen;
        };
        if last.is_some() {
            assert_eq!(subscriber.outcome(), Outcome::Recovered);
        } else if seen.numbers.is_empty() {
            seen.since = ledger.now();
        }
        let mut decoder = Decoder::new();
        for _ in 0..=random.below(200) {
            let Some(bytes) = in_time("the next delivery", subscriber.next()).await else {
                seen.saw_the_end = true;
                return seen;
            };
            for event in decode(&mut decoder, &bytes) {
                seen.numbers.push(number(&event.id));
                last = Some(event.id.try_into().unwrap());
            }
            for _ in 0..random.below(3) {
                yield_now().await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_delivery_is_accounted_for() {
    let history = FiniteReplayer::new(PUBLISHERS * MESSAGES);
    let builder = Joe::builder().replayer(history).queue_messages(20);
    let joe = Arc::new(builder.build());
    let ledger = Arc::new(Ledger::default());

    let mut clients = JoinSet::new();
    for n in 0..CLIENTS {
        clients.spawn(follow(Arc::clone(&joe), Arc::clone(&ledger), Random(n)));
    }
    let mut publishers = JoinSet::new();
    for n in 0..PUBLISHERS {
        let random = Random(1_000 + n as u64);
        publishers.spawn(publish_some(Arc::clone(&joe), Arc::clone(&ledger), random));
    }
    publishers.join_all().await;
    joe.shutdown().await.unwrap();

    let all = ledger.messages.lock().unwrap().len();
    assert_eq!(all, PUBLISHERS * MESSAGES);
    let (mut deliveries, mut ends) = (0, 0);
    for seen in clients.join_all().await {
        let (topics, numbers) = (&seen.topics, &seen.numbers);
        let newest = numbers.last().copied().unwrap_or(0);
        let to = if seen.saw_the_end { u64::MAX } else { newest };
        let first = numbers.first().copied().unwrap_or(to);
        assert_eq!(
            *numbers,
            ledger.expected(topics, first..=to, 0),
            "from its first on everything"
        );
        let missed = ledger.expected(topics, 0..=first - 1, seen.since);
        assert_eq!(
            missed, [0; 0],
            "everything that was begun after it had come"
        );
        deliveries += numbers.len();
        ends += usize::from(seen.saw_the_end);
    }
    println!("{all} messages, {deliveries} deliveries, {ends} of {CLIENTS} clients saw the end");
    assert!(deliveries > all, "{deliveries} deliveries are no stress");
    assert!(ends > 0, "nobody saw the end");
    assert_eq!((joe.subscribers(), joe.queued_bytes()), (0, 0));
}
