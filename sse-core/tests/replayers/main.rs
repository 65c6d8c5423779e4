//! The replayers in memory against the replayer suite, and the messages that each drops.

use std::{
    sync::{Arc, Mutex, Weak},
    time::{Duration, Instant},
};

use sse_conformance::{decode, replayer::Subject};
use sse_core::{
    EventId, FiniteReplayer, Message, Topics, ValidReplayer,
    replay::{Blocking, Position, ReadError, Replayer},
    resume::Gap,
    wire::Decoder,
};

const MINUTE: Duration = Duration::from_secs(60);

mod finite {
    const SUBJECT: super::Subject = || super::Arc::new(super::FiniteReplayer::new(10_000));
    sse_conformance::replayer_suite!(SUBJECT);
}

mod valid {
    const SUBJECT: super::Subject = || super::Arc::new(super::ValidReplayer::new(super::MINUTE));
    sse_conformance::replayer_suite!(SUBJECT);
}

/// The example on the front page of [`Replayer`].
mod keeps_all {
    include!("keeps_all.rs");

    const SUBJECT: super::Subject = || {
        std::sync::Arc::new(KeepsAll {
            epoch: Epoch::random(),
            log: Mutex::default(),
        })
    };
    sse_conformance::replayer_suite!(SUBJECT);
}

/// Returns a replayer whose clock stands still, and a function that moves it.
fn valid() -> (ValidReplayer, impl Fn(Duration)) {
    let now = Arc::new(Mutex::new(Instant::now()));
    let clock = Arc::clone(&now);
    let replayer = ValidReplayer::new(MINUTE).clock(move || *clock.lock().unwrap());
    (replayer, move |time| *now.lock().unwrap() += time)
}

fn put(replayer: &impl Replayer, data: &str) -> EventId {
    put_message(replayer, Message::data(data), Topics::default())
}

fn put_message(replayer: &impl Replayer, message: Message, topics: Topics) -> EventId {
    let mut stored = replayer.append(vec![(message, topics)]);
    stored.remove(0).unwrap().id
}

/// Returns the number of messages of the topics that follow an id.
fn follow(replayer: &impl Replayer, id: &EventId, topics: impl Into<Topics>) -> Result<usize, Gap> {
    let topics = topics.into();
    let gap = |error| match error {
        ReadError::Gap(gap) => gap,
        other => panic!("{other}"),
    };
    let after = replayer.seek(id, &topics, Blocking::Allowed).map_err(gap)?;
    let page = replayer.page(after, replayer.end(), &topics, Blocking::Allowed);
    let bytes = page.map_err(gap)?.bytes;
    Ok(decode(&mut Decoder::new(), &bytes).len())
}

fn follows(replayer: &impl Replayer, id: &EventId) -> Result<usize, Gap> {
    follow(replayer, id, ())
}

#[test]
fn a_history_of_nothing_keeps_the_newest() {
    let replayer = FiniteReplayer::new(0);
    let ids = ["1", "2", "3"].map(|data| put(&replayer, data));
    assert_eq!(follows(&replayer, &ids[1]), Ok(1));
    assert_eq!(follows(&replayer, &ids[0]), Err(Gap::Expired));
    let now = Instant::now();
    let replayer = ValidReplayer::new(Duration::ZERO).clock(move || now);
    let first = put(&replayer, "1");
    put(&replayer, "2");
    assert_eq!(follows(&replayer, &first), Ok(1), "for a millisecond");
}

#[test]
fn finite_keeps_the_newest_and_knows_the_one_before() {
    let replayer = FiniteReplayer::new(3);
    let ids: Vec<_> = (0..8).map(|n| put(&replayer, &n.to_string())).collect();
    // 5, 6 and 7 are kept, and a client that has 4 has missed nothing that is gone.
    assert_eq!(follows(&replayer, &ids[7]), Ok(0));
    assert_eq!(follows(&replayer, &ids[5]), Ok(2));
    assert_eq!(follows(&replayer, &ids[4]), Ok(3));
    for id in &ids[..4] {
        assert_eq!(follows(&replayer, id), Err(Gap::Expired));
    }
}

#[test]
fn explicit_ids_are_forgotten_with_their_messages() {
    let replayer = FiniteReplayer::new(2);
    let id = |n: usize| EventId::try_from(format!("own-{n}")).unwrap();
    for n in 0..6 {
        let message = Message::data("x").id(id(n));
        put_message(&replayer, message, Topics::default());
    }
    assert_eq!(follows(&replayer, &id(5)), Ok(0));
    assert_eq!(follows(&replayer, &id(3)), Ok(2));
    assert_eq!(follows(&replayer, &id(2)), Err(Gap::Unknown));
    let text = format!("{replayer:?}");
    assert!(text.contains("explicit_ids: 2"), "{text}");
}

#[test]
fn finite_is_bounded_in_bytes_but_keeps_the_newest() {
    let replayer = FiniteReplayer::new(1_000_000).max_bytes(10_000);
    let ids: Vec<_> = (0..100)
        .map(|_| put(&replayer, &"x".repeat(1_000)))
        .collect();
    assert_eq!(follows(&replayer, &ids[0]), Err(Gap::Expired));
    assert_eq!(follows(&replayer, &ids[98]), Ok(1));
    let large = put(&replayer, &"x".repeat(50_000));
    assert_eq!(follows(&replayer, &ids[99]), Ok(1));
    assert_eq!(follows(&replayer, &large), Ok(0));
    // Many tiny messages take memory, too.
    let tiny: Vec<_> = (0..10_000).map(|_| put(&replayer, "")).collect();
    assert_eq!(follows(&replayer, &tiny[9_800]), Err(Gap::Expired));
}

#[test]
fn valid_drops_expired_messages_and_says_so() {
    let (replayer, turn) = valid();
    let first = put(&replayer, "1");
    turn(MINUTE / 2);
    let second = put(&replayer, "2");
    assert_eq!(follows(&replayer, &first), Ok(1));
    turn(MINUTE / 2);
    assert_eq!(
        follows(&replayer, &first),
        Ok(1),
        "the first has expired, what follows it has not"
    );
    turn(MINUTE / 2);
    assert_eq!(follows(&replayer, &first), Err(Gap::Expired));
    assert_eq!(
        follows(&replayer, &second),
        Ok(0),
        "who has seen the last has missed nothing, however long ago"
    );
    assert_eq!(replayer.end(), Position(2));
}

#[test]
fn the_earliest_begins_with_the_oldest_message_of_each_topic() {
    let (replayer, turn) = valid();
    let replayer = replayer.max_topic_messages(1);
    let topics = Topics::from(["a", "b"]);
    let put = |topic: &str| {
        put_message(&replayer, Message::data(topic), topic.into());
    };
    let read = |from| {
        let page = replayer.page(from, replayer.end(), &topics, Blocking::Allowed);
        page.map(|page| decode(&mut Decoder::new(), &page.bytes).len())
    };
    for topic in ["b", "a", "a"] {
        put(topic);
    }
    let from = replayer.earliest(&topics);
    assert_eq!(read(from).unwrap(), 2, "of a the newer");
    // A message that is dropped from now on is a loss, though more of topic a was gone before.
    put("b");
    let lost = read(from).unwrap_err();
    assert!(matches!(lost, ReadError::Gap(Gap::Expired)), "{lost}");
    let from = replayer.earliest(&topics);
    assert_eq!(read(from).unwrap(), 2);
    turn(MINUTE);
    let lost = read(from).unwrap_err();
    assert!(matches!(lost, ReadError::Gap(Gap::Expired)), "{lost}");
    assert_eq!(read(replayer.earliest(&topics)).unwrap(), 0);
}

#[test]
fn a_page_that_expires_while_it_is_read_is_a_gap() {
    let (replayer, turn) = valid();
    let first = put(&replayer, "1");
    put(&replayer, "2");
    let after = replayer
        .seek(&first, &Topics::default(), Blocking::Allowed)
        .unwrap();
    turn(MINUTE);
    let page = replayer.page(after, replayer.end(), &Topics::default(), Blocking::Allowed);
    assert!(
        matches!(page, Err(ReadError::Gap(Gap::Expired))),
        "{page:?}"
    );
}

#[test]
fn two_histories_never_give_the_same_id() {
    let ids = [FiniteReplayer::new(9), FiniteReplayer::new(9)].map(|replayer| put(&replayer, "x"));
    assert_ne!(ids[0], ids[1]);
}

fn put_to(replayer: &impl Replayer, topics: impl Into<Topics>) -> EventId {
    put_message(replayer, Message::data("x"), topics.into())
}

#[test]
fn a_busy_topic_does_not_push_out_a_quiet_one() {
    let replayer = FiniteReplayer::new(1_000).max_topic_messages(10);
    let quiet: Vec<_> = (0..3).map(|_| put_to(&replayer, "quiet")).collect();
    let busy: Vec<_> = (0..5_000).map(|_| put_to(&replayer, "busy")).collect();
    assert_eq!(follow(&replayer, &quiet[0], "quiet"), Ok(2));
    assert_eq!(follow(&replayer, &busy[4_989], "busy"), Ok(10));
    assert_eq!(follow(&replayer, &busy[4_988], "busy"), Err(Gap::Expired));
    // A client that asks for both has missed something of the busy one.
    assert_eq!(
        follow(&replayer, &quiet[0], ["busy", "quiet"]),
        Err(Gap::Expired)
    );
    assert_eq!(follow(&replayer, &busy[4_990], ["busy", "quiet"]), Ok(9));
}

#[test]
fn a_message_of_several_topics_stays_until_the_last_topic_drops_it() {
    let replayer = FiniteReplayer::new(1_000).max_topic_messages(2);
    let first = put_to(&replayer, ["busy", "quiet"]);
    let shared = put_to(&replayer, ["busy", "quiet"]);
    for _ in 0..100 {
        put_to(&replayer, "busy");
    }
    assert_eq!(follow(&replayer, &first, "quiet"), Ok(1));
    assert_eq!(follow(&replayer, &first, "busy"), Err(Gap::Expired));
    let own = EventId::from_static("own");
    for topics in [&["quiet"][..], &["quiet", "third"]] {
        let message = Message::data("x").id(own.clone());
        put_message(&replayer, message, topics.into());
    }
    // The two newest of each topic, of which two topics share one, whose id is known in both.
    let text = format!("{replayer:?}");
    assert!(
        text.contains("messages: 4") && text.contains("explicit_ids: 3"),
        "{text}"
    );
    assert_eq!(follow(&replayer, &shared, "quiet"), Ok(2));
    assert_eq!(follow(&replayer, &own, "third"), Ok(0));
}

#[test]
fn all_bounds_hold_at_once() {
    let now = Arc::new(Mutex::new(Instant::now()));
    let clock = Arc::clone(&now);
    let replayer = ValidReplayer::new(MINUTE)
        .clock(move || *clock.lock().unwrap())
        .max_messages(20)
        .max_topic_messages(5)
        .max_topic_bytes(3_000);
    let large =
        |topic: &str| put_message(&replayer, Message::data("x".repeat(1_000)), topic.into());
    let ids: Vec<_> = (0..4).map(|_| large("large")).collect();
    assert_eq!(
        follow(&replayer, &ids[0], "large"),
        Err(Gap::Expired),
        "bytes of the topic"
    );
    assert_eq!(follow(&replayer, &ids[1], "large"), Ok(2));
    let small: Vec<_> = (0..7).map(|_| put_to(&replayer, "small")).collect();
    assert_eq!(
        follow(&replayer, &small[0], "small"),
        Err(Gap::Expired),
        "number in the topic"
    );
    assert_eq!(follow(&replayer, &small[1], "small"), Ok(5));
    for n in 0..15 {
        put_to(&replayer, format!("{n}"));
    }
    assert_eq!(follow(&replayer, &small[1], "small"), Ok(5), "20 in all");
    assert_eq!(
        follow(&replayer, &ids[2], "large"),
        Err(Gap::Expired),
        "number in all"
    );
    *now.lock().unwrap() += MINUTE;
    assert_eq!(
        follow(&replayer, &small[5], "small"),
        Err(Gap::Expired),
        "age"
    );
}

#[test]
fn a_client_with_the_last_message_of_a_quiet_topic_has_missed_nothing() {
    let (replayer, turn) = valid();
    let (one, other) = (put_to(&replayer, "one"), put_to(&replayer, "other"));
    turn(MINUTE);
    for n in 0..100 {
        put_to(&replayer, format!("{n}"));
        turn(MINUTE);
    }
    assert_eq!(follow(&replayer, &one, "one"), Ok(0));
    assert_eq!(follow(&replayer, &other, "other"), Ok(0));
    assert_eq!(follow(&replayer, &one, ["one", "other"]), Err(Gap::Expired));
    assert_eq!(
        follow(&replayer, &one, "other"),
        Err(Gap::Expired),
        "who knows"
    );
}

#[test]
fn forgotten_topics_leave_nothing_behind() {
    let replayer = FiniteReplayer::new(10);
    let first = put_to(&replayer, "first");
    for n in 0..30_000 {
        put_to(&replayer, format!("{n}"));
    }
    let text = format!("{replayer:?}");
    assert!(
        text.contains("messages: 10") && text.contains("topics: 10010"),
        "{text}"
    );
    // The client may have missed something: the history does not know any more.
    assert_eq!(follow(&replayer, &first, "first"), Err(Gap::Expired));
    let again = put_to(&replayer, "first");
    assert_eq!(follow(&replayer, &first, "first"), Err(Gap::Expired));
    assert_eq!(follow(&replayer, &again, "first"), Ok(0));
    assert_eq!(follow(&replayer, &again, ["first", "never"]), Ok(0));
}

#[test]
fn names_of_topics_count_as_bytes_also_when_their_messages_are_gone() {
    const BYTES: usize = 1 << 20;
    let replayer = FiniteReplayer::new(1_000).max_bytes(BYTES);
    let mut names = Vec::new();
    for n in 0..2_000 {
        let name = Arc::<str>::from(format!("{n} {}", "x".repeat(10_000)));
        names.push(Arc::downgrade(&name));
        put_to(&replayer, Topics::from(name));
    }
    let kept = names.iter().filter_map(Weak::upgrade);
    let bytes: usize = kept.map(|name| name.len()).sum();
    assert!(
        (BYTES / 2..=BYTES).contains(&bytes),
        "{bytes} bytes of names"
    );
}

#[test]
fn topics_of_one_message_count_as_bytes() {
    const BYTES: usize = 1 << 20;
    let replayer = FiniteReplayer::new(1_000_000).max_bytes(BYTES);
    for n in 0..1_000 {
        let topics = (0..100).map(|m| format!("{n} {m}"));
        put_message(&replayer, Message::data("x"), topics.collect());
    }
    let text = format!("{replayer:?}");
    let (_, topics) = text.split_once("topics: ").unwrap();
    let (topics, _) = topics.split_once(',').unwrap();
    let topics: usize = topics.parse().unwrap();
    // Each takes a few hundred bytes, whatever it holds.
    assert!((1_000..8_000).contains(&topics), "{text}");
}

#[test]
fn a_topic_that_comes_and_goes_does_not_make_another_be_forgotten() {
    let (replayer, turn) = valid();
    let quiet = put_to(&replayer, "quiet");
    turn(MINUTE);
    for _ in 0..20_000 {
        let newest = put_to(&replayer, "busy");
        turn(MINUTE);
        assert_eq!(follow(&replayer, &newest, "busy"), Ok(0));
    }
    assert_eq!(follow(&replayer, &quiet, "quiet"), Ok(0));
}

#[test]
fn an_id_that_many_messages_share_is_found_as_fast_as_another() {
    const MESSAGES: usize = 20_000;
    let replayer = FiniteReplayer::new(2 * MESSAGES + 2);
    let put = |topic: &str, id: &str| {
        let message = Message::data("x").id(id.to_owned().try_into().unwrap());
        put_message(&replayer, message, topic.into())
    };
    for n in 0..MESSAGES {
        put("other", "shared");
        put("mine", &n.to_string());
    }
    let shared = put("mine", "shared");
    let only = put("mine", "only");
    let time = |id: &EventId, follow_up: Result<usize, Gap>| {
        let start = Instant::now();
        for _ in 0..200 {
            assert_eq!(follow(&replayer, id, "mine"), follow_up);
        }
        start.elapsed()
    };
    time(&only, Ok(0));
    let (shared, only) = (time(&shared, Ok(1)), time(&only, Ok(0)));
    assert!(shared < 50 * only, "{shared:?} against {only:?}");
    // One that none of the topic's messages has is not searched for among those of the others.
    let never = EventId::from_static("never");
    let start = Instant::now();
    for _ in 0..200 {
        let topics = ["mine", "quiet"];
        assert_eq!(follow(&replayer, &never, topics), Err(Gap::Unknown));
    }
    assert!(start.elapsed() < 50 * only);
}
