//! The messages that a directory must hold.

use std::{collections::BTreeMap, fmt::Write};

use sse_conformance::{OwnedEvent, decode};
use sse_core::{
    EventId, Topics,
    replay::{Blocking, Cursor, Position, Replayer},
    wire::Decoder,
};
use sse_store::Store;

use crate::{Random, publisher::PUBLISHERS};

const TOPICS: [&str; 4] = ["news", "sport", "weather", "traffic"];

/// Every how many messages a client resumes.
const RESUMES: usize = 50;

/// Everything that was acknowledged in a directory, and everything that was found in it.
#[derive(Default)]
pub(crate) struct Ledger {
    /// Id and topics, by number.
    acknowledged: BTreeMap<u64, (String, String)>,
    /// Numbers by position, when last looked at.
    found: BTreeMap<u64, u64>,
}

/// A message that was found, and what its data says.
struct Found {
    event: OwnedEvent,
    number: u64,
    topics: String,
}

impl Ledger {
    /// Takes lines of the publisher.
    pub(crate) fn acknowledge(&mut self, lines: &[String]) {
        for line in lines {
            let [number, id, topics] = fields(line);
            let entry = (id.to_owned(), topics.to_owned());
            let before = self.acknowledged.insert(number.parse().unwrap(), entry);
            assert_eq!(before, None, "{line:?} is acknowledged twice");
        }
    }

    pub(crate) fn acknowledged(&self) -> u64 {
        self.acknowledged.len() as u64
    }

    /// Everything acknowledged is there, in order, once and whole; so are other messages that are
    /// there, and they stay.
    pub(crate) fn check(&mut self, store: &Store, max_messages: u64) {
        assert_eq!(store.lost(), None);
        let all = read(store, Cursor::EARLIEST, &TOPICS.into());
        let all: Vec<_> = all.into_iter().map(whole).collect();
        let positions = store.positions();
        let count = all.len() as u64;
        assert_eq!(
            count,
            positions.clone().count() as u64,
            "one for each of {positions:?}"
        );
        // A batch goes into one segment, beyond its part of what is allowed.
        let segment = max_messages / 8 + PUBLISHERS;
        let least = max_messages - max_messages / 8 - segment;
        assert!(
            count >= least.min(*positions.end()),
            "only {count} are kept"
        );
        let found: BTreeMap<_, _> = positions.clone().zip(&all).collect();
        self.check_ids(&found);
        self.check_numbers(&found);
        check_topics(store, &all);
        for (position, message) in found.iter().step_by(RESUMES) {
            check_resume(store, *position, message, &all);
        }
        self.found = found
            .iter()
            .map(|(at, message)| (*at, message.number))
            .collect();
    }

    /// Positions go on where they were and hold what they held.
    fn check_ids(&self, found: &BTreeMap<u64, &Found>) {
        for (position, message) in found {
            match position_of(&message.event.id) {
                Some(named) => assert_eq!(named, *position, "of {}", message.event.id),
                None => assert_eq!(message.event.id, format!("own-{}", message.number)),
            }
        }
        let oldest = found.keys().next().copied().unwrap_or(u64::MAX);
        for (position, number) in self.found.range(oldest..) {
            let there = found.get(position).map(|message| message.number);
            assert_eq!(there, Some(*number), "at {position}, where it was before");
        }
    }

    /// Acknowledged messages are there, except the oldest where they are dropped; each publisher's
    /// in its order.
    fn check_numbers(&self, found: &BTreeMap<u64, &Found>) {
        let mut places = BTreeMap::new();
        for (position, message) in found {
            let twice = places.insert(message.number, *position);
            assert_eq!(twice, None, "{} is there twice", message.number);
        }
        let oldest = found.keys().next().copied().unwrap_or(1);
        let mut newest = BTreeMap::new();
        for (number, (id, topics)) in &self.acknowledged {
            let newest = newest.entry(number % PUBLISHERS).or_insert(0);
            let Some(position) = places.get(number) else {
                let was_dropped = match position_of(id) {
                    Some(position) => position < oldest,
                    None => oldest > 1 && *newest == 0,
                };
                assert!(was_dropped, "{number} was acknowledged as {id} and is gone");
                continue;
            };
            let message = found[position];
            assert_eq!(
                (&message.event.id, &message.topics),
                (id, topics),
                "of {number}"
            );
            assert!(
                position > newest,
                "{number} is not after what its publisher published before"
            );
            *newest = *position;
        }
    }
}

/// Each topic holds its part of everything, in the same order.
fn check_topics(store: &Store, all: &[Found]) {
    for topic in TOPICS {
        let part = read(store, Cursor::EARLIEST, &topic.into());
        let expected = all.iter().filter(|message| has_topic(message, topic));
        let expected = expected.map(|message| &message.event);
        assert!(
            part.iter().eq(expected),
            "{topic} is not a part of everything"
        );
    }
}

/// A client that has a message gets exactly those that came after it.
fn check_resume(store: &Store, position: u64, message: &Found, all: &[Found]) {
    let id = EventId::try_from(message.event.id.as_str()).unwrap();
    let topic = message.topics.split(',').next().unwrap();
    let place = store.seek(&id, &topic.into(), Blocking::Allowed).unwrap();
    assert_eq!(place, Cursor::after(Position(position)), "of {id}");
    let after = usize::try_from(position + 1 - store.positions().start()).unwrap();
    let expected = all[after..]
        .iter()
        .find(|message| has_topic(message, topic));
    let next = read_some(store, place, &topic.into()).0;
    let expected = expected.map(|message| &message.event);
    assert!(next.first() == expected, "after {id} comes something else");
}

fn has_topic(message: &Found, topic: &str) -> bool {
    message.topics.split(',').any(|own| own == topic)
}

fn read(store: &Store, mut from: Cursor, topics: &Topics) -> Vec<OwnedEvent> {
    let mut all = Vec::new();
    while from.after < store.end() {
        let (events, next) = read_some(store, from, topics);
        assert!(from.after < next.after, "reading goes on");
        all.extend(events);
        from = next;
    }
    all
}

fn read_some(store: &Store, from: Cursor, topics: &Topics) -> (Vec<OwnedEvent>, Cursor) {
    let page = store
        .page(from, store.end(), topics, Blocking::Allowed)
        .unwrap();
    (decode(&mut Decoder::new(), &page.bytes), page.next)
}

/// The data says what it should be.
fn whole(event: OwnedEvent) -> Found {
    let [number, topics, bytes] = fields(&event.data);
    let mut expected = format!("{number} {topics} {bytes} ");
    let (number, bytes) = (number.parse().unwrap(), bytes.parse().unwrap());
    let mut noise = Random(number);
    while expected.len() < bytes {
        write!(expected, "{:016x}", noise.next()).unwrap();
    }
    assert!(event.data == expected, "{number} is torn");
    let topics = topics.to_owned();
    Found {
        event,
        number,
        topics,
    }
}

fn fields(line: &str) -> [&str; 3] {
    let mut fields = line.split(' ');
    [(); 3].map(|()| {
        fields
            .next()
            .unwrap_or_else(|| panic!("{line:?} lacks something"))
    })
}

/// The position in an id that the store gave.
fn position_of(id: &str) -> Option<u64> {
    let (epoch, position) = id.split_once('-')?;
    (epoch != "own").then(|| position.parse().unwrap())
}
