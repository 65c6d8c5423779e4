//! The contract of a [`Replayer`], case by case.

#![expect(missing_docs, reason = "a case is its name")]

mod ids;
mod places;

use std::{fmt, sync::Arc};

use sse_core::{
    EventId, Message, Topics,
    replay::{Blocking, Cursor, Page, Position, ReadError, Replayer, StoreError, Stored},
    resume::Gap,
    wire::Decoder,
};

pub use self::{ids::*, places::*};
use crate::{OwnedEvent, decode};

/// The subject of the suite: makes an empty replayer that keeps at least 10,000 small messages for
/// a minute.
pub type Subject = fn() -> Arc<dyn Replayer>;

/// Runs one case.
#[doc(hidden)]
pub fn run(case: fn(Subject), subject: Subject) {
    case(subject);
}

/// Runs every replayer case on a [`Subject`](crate::replayer::Subject).
#[macro_export]
macro_rules! replayer_suite {
    ($subject:expr) => {
        $crate::cases!(
            replayer,
            $subject,
            [
                a_message_without_id_is_given_one,
                given_ids_are_short_plain_and_different,
                an_id_of_the_application_is_kept,
                what_is_stored_is_what_is_sent,
                an_up_to_date_client_is_at_the_end,
                what_follows_an_id_comes_in_order,
                pages_go_on_to_the_end_of_a_long_history,
                pages_hold_the_messages_of_the_topics_only,
                a_message_of_several_topics_comes_once,
                an_id_never_given_out_is_unknown,
                an_id_of_another_log_is_unknown,
                an_id_of_another_topic_opens_nothing,
                a_repeated_id_continues_after_the_oldest,
                an_id_that_several_topics_share_continues_in_each_after_its_own,
                an_id_that_looks_like_a_given_one_is_not_mistaken_for_it,
                history_is_read_while_it_grows,
                the_earliest_is_the_oldest_that_is_kept,
                a_place_is_known_before_any_message,
                a_place_opens_exactly_its_topics,
                a_place_of_the_earliest_brings_everything_back,
                a_place_never_given_out_is_unknown,
                nothing_is_read_beyond_the_position_asked_for,
                a_large_message_is_a_page_of_its_own,
                a_message_of_several_topics_does_not_hold_up_the_others,
                topics_may_be_any_text,
                a_message_of_no_topics_is_refused,
                a_batch_is_stored_as_one_after_the_other,
                a_flushed_history_goes_on,
                an_answer_without_blocking_is_the_same_or_would_block,
            ]
        );
    };
}

fn put(replayer: &Arc<dyn Replayer>, message: Message, topics: impl Into<Topics>) -> EventId {
    store(replayer, message, topics).id
}

fn store(replayer: &Arc<dyn Replayer>, message: Message, topics: impl Into<Topics>) -> Stored {
    let stored = replayer.append(vec![(message, topics.into())]).pop();
    stored.expect("an answer").expect("the message is stored")
}

fn id(text: &str) -> EventId {
    text.try_into().expect("a valid id")
}

/// All data that follows a position.
fn read(replayer: &Arc<dyn Replayer>, mut from: Cursor, topics: &Topics) -> Vec<String> {
    events(replayer, &mut from, topics)
        .into_iter()
        .map(|event| event.data)
        .collect()
}

fn page(replayer: &Arc<dyn Replayer>, from: Cursor, topics: &Topics) -> Page {
    let page = replayer.page(from, replayer.end(), topics, Blocking::Allowed);
    page.expect("nothing was dropped")
}

/// Returns the reason why an id opens nothing.
fn gap(replayer: &Arc<dyn Replayer>, id: &EventId, topics: impl Into<Topics>) -> Gap {
    match replayer.seek(id, &topics.into(), Blocking::Allowed) {
        Err(ReadError::Gap(gap)) => gap,
        other => panic!("{id} should open nothing: {other:?}"),
    }
}

fn seek(replayer: &Arc<dyn Replayer>, id: &EventId, topics: impl Into<Topics>) -> Cursor {
    let found = replayer.seek(id, &topics.into(), Blocking::Allowed);
    found.expect("the id is known")
}

fn events(replayer: &Arc<dyn Replayer>, from: &mut Cursor, topics: &Topics) -> Vec<OwnedEvent> {
    let mut events = Vec::new();
    let mut decoder = Decoder::new();
    while from.after < replayer.end() {
        let page = page(replayer, *from, topics);
        assert!(page.next.after > from.after, "a page goes on");
        let found = decode(&mut decoder, &page.bytes);
        let size = page.bytes.len();
        assert!(
            size <= Page::BYTES || found.len() == 1,
            "a page is bounded: {size} bytes"
        );
        assert!(size == 0 || page.bytes.ends_with(b"\n\n"), "whole messages");
        events.extend(found);
        *from = page.next;
    }
    events
}

pub fn what_is_stored_is_what_is_sent(subject: Subject) {
    let replayer = subject();
    let first = put(&replayer, Message::data("first"), ());
    let event = "price".try_into().expect("a valid type");
    let message = Message::data("a\nb").event(event).comment("c");
    let stored = store(&replayer, message, ());
    let after = seek(&replayer, &first, ());
    let page = page(&replayer, after, &Topics::default());
    assert_eq!(page.bytes, stored.bytes);
}

pub fn an_up_to_date_client_is_at_the_end(subject: Subject) {
    let replayer = subject();
    for _ in 0..50 {
        let newest = put(&replayer, Message::data("x"), ());
        assert_eq!(seek(&replayer, &newest, ()), Cursor::after(replayer.end()));
    }
    let newest = put(&replayer, Message::data("x").id(id("manual")), ());
    assert_eq!(seek(&replayer, &newest, ()), Cursor::after(replayer.end()));
}

pub fn what_follows_an_id_comes_in_order(subject: Subject) {
    let replayer = subject();
    let ids: Vec<_> = (0..20)
        .map(|n| put(&replayer, Message::data(n.to_string()), ()))
        .collect();
    for (n, id) in ids.iter().enumerate() {
        let mut after = seek(&replayer, id, ());
        let expected: Vec<_> = (n + 1..20)
            .map(|n| (ids[n].to_string(), n.to_string()))
            .collect();
        let events = events(&replayer, &mut after, &Topics::default());
        let seen: Vec<_> = events
            .into_iter()
            .map(|event| (event.id, event.data))
            .collect();
        assert_eq!(seen, expected);
        assert_eq!(after, Cursor::after(replayer.end()));
    }
}

pub fn pages_go_on_to_the_end_of_a_long_history(subject: Subject) {
    let replayer = subject();
    let first = put(&replayer, Message::data("first"), ());
    let expected: Vec<_> = (0..9_000).map(|n| format!("message {n}")).collect();
    for data in &expected {
        put(&replayer, Message::data(data), ());
    }
    let after = seek(&replayer, &first, ());
    assert_eq!(read(&replayer, after, &Topics::default()), expected);
}

pub fn pages_hold_the_messages_of_the_topics_only(subject: Subject) {
    let replayer = subject();
    let quiet = put(&replayer, Message::data("quiet 1"), "quiet");
    for n in 0..5_000 {
        put(&replayer, Message::data(n.to_string()), "busy");
    }
    put(&replayer, Message::data("quiet 2"), "quiet");
    let after = seek(&replayer, &quiet, "quiet");
    assert_eq!(read(&replayer, after, &"quiet".into()), ["quiet 2"]);
}

pub fn a_message_of_several_topics_comes_once(subject: Subject) {
    let replayer = subject();
    let topics = Topics::from(["a", "b"]);
    let first = put(&replayer, Message::data("1"), "a");
    put(&replayer, Message::data("2"), ["a", "b", "c"]);
    put(&replayer, Message::data("3"), "c");
    let after = seek(&replayer, &first, topics.clone());
    assert_eq!(read(&replayer, after, &topics), ["2"]);
}

pub fn history_is_read_while_it_grows(subject: Subject) {
    let replayer = subject();
    let first = put(&replayer, Message::data("first"), ());
    let writer = {
        let replayer = Arc::clone(&replayer);
        std::thread::spawn(move || {
            for n in 0..5_000 {
                put(&replayer, Message::data(n.to_string()), ());
            }
        })
    };
    let mut after = seek(&replayer, &first, ());
    let mut seen = Vec::new();
    while seen.len() < 5_000 {
        seen.extend(
            events(&replayer, &mut after, &Topics::default())
                .into_iter()
                .map(|event| event.data),
        );
        std::thread::yield_now();
    }
    writer.join().expect("the writer does not panic");
    assert!(
        seen.iter()
            .enumerate()
            .all(|(n, data)| *data == n.to_string()),
        "in order, each once"
    );
}

/// Everything between two positions, page by page.
fn between(
    replayer: &Arc<dyn Replayer>,
    mut from: Cursor,
    until: Position,
    topics: &Topics,
) -> Vec<String> {
    let mut all = Vec::new();
    while from.after < until {
        let page = replayer.page(from, until, topics, Blocking::Allowed);
        let page = page.expect("nothing was dropped");
        let found = decode(&mut Decoder::new(), &page.bytes);
        all.extend(found.into_iter().map(|event| event.data));
        assert!(page.next.after <= until && from.after < page.next.after);
        from = page.next;
    }
    all
}

pub fn the_earliest_is_the_oldest_that_is_kept(subject: Subject) {
    let replayer = subject();
    let topics = Topics::from(["a", "b"]);
    let empty = page(&replayer, Cursor::EARLIEST, &topics);
    assert_eq!(
        (empty.bytes.len(), empty.next),
        (0, Cursor::after(Position(0)))
    );
    for (data, topic) in [("1", "a"), ("2", "c"), ("3", "b"), ("4", "a")] {
        put(&replayer, Message::data(data), topic);
    }
    let end = replayer.end();
    assert_eq!(
        between(&replayer, Cursor::EARLIEST, end, &topics),
        ["1", "3", "4"]
    );
    assert_eq!(
        between(&replayer, Cursor::EARLIEST, end, &"quiet".into()),
        [""; 0]
    );
}

pub fn nothing_is_read_beyond_the_position_asked_for(subject: Subject) {
    let replayer = subject();
    let topics = [Topics::from("a"), Topics::from(["a", "b"])];
    let ends: Vec<_> = (0..10)
        .map(|n| {
            put(&replayer, Message::data(n.to_string()), "a");
            replayer.end()
        })
        .collect();
    for topics in &topics {
        for (n, until) in ends.iter().enumerate() {
            let expected: Vec<_> = (1..=n).map(|n| n.to_string()).collect();
            let found = between(&replayer, Cursor::after(ends[0]), *until, topics);
            assert_eq!(found, expected);
        }
    }
}

pub fn a_large_message_is_a_page_of_its_own(subject: Subject) {
    let replayer = subject();
    let first = put(&replayer, Message::data("first"), ["a", "b"]);
    let sizes = [
        10,
        Page::BYTES + 1,
        10,
        20_000,
        30_000,
        14_000,
        Page::BYTES,
        10,
    ];
    for (n, size) in sizes.into_iter().enumerate() {
        let topics: &[&str] = [&["a"][..], &["b"], &["a", "b"]][n % 3];
        put(&replayer, Message::data("x".repeat(size)), topics);
    }
    let read_sizes = |topics: Topics| {
        let found = read(&replayer, seek(&replayer, &first, topics.clone()), &topics);
        found.iter().map(String::len).collect::<Vec<_>>()
    };
    assert_eq!(read_sizes(["a", "b"].into()), sizes);
    let of_b = sizes.into_iter().enumerate().filter(|(n, _)| n % 3 != 0);
    let of_b: Vec<_> = of_b.map(|(_, size)| size).collect();
    assert_eq!(read_sizes("b".into()), of_b);
}

pub fn a_message_of_several_topics_does_not_hold_up_the_others(subject: Subject) {
    let replayer = subject();
    let topics = Topics::from(["a", "b", "c"]);
    let first = put(&replayer, Message::data("first"), topics.clone());
    let filler = "x".repeat(200);
    let mut expected = Vec::new();
    for n in 0..2_000 {
        let of: &[&str] = match n % 7 {
            0 => &["a", "b", "other"],
            1 | 2 => &["c"],
            3 => &["other"],
            _ => &["a"],
        };
        let data = format!("{n} {filler}");
        put(&replayer, Message::data(&data), of);
        if n % 7 != 3 {
            expected.push(data);
        }
    }
    let after = seek(&replayer, &first, topics.clone());
    assert_eq!(read(&replayer, after, &topics), expected);
}

pub fn topics_may_be_any_text(subject: Subject) {
    let replayer = subject();
    let long = "x".repeat(1_000);
    let names = [
        "",
        "a",
        "a\0",
        "a\0b",
        "\0",
        "ab",
        "\u{10ffff}",
        "\n",
        &long,
    ];
    let mut ids = Vec::new();
    for name in names {
        ids.push(put(&replayer, Message::data(format!("1 {name}")), name));
    }
    for name in names {
        put(&replayer, Message::data(format!("2 {name}")), name);
    }
    for (name, id) in names.into_iter().zip(&ids) {
        let after = seek(&replayer, id, name);
        assert_eq!(read(&replayer, after, &name.into()), [format!("2 {name}")]);
    }
}

pub fn a_message_of_no_topics_is_refused(subject: Subject) {
    let replayer = subject();
    let none = Topics::from(Vec::<String>::new());
    let first = put(&replayer, Message::data("first"), "a");
    for message in [
        Message::data("nobody's"),
        Message::data("nobody's").id(id("own")),
    ] {
        let refused = replayer.append(vec![(message.clone(), none.clone())]);
        assert!(
            matches!(refused[..], [Err(StoreError::NoTopics)]),
            "{refused:?}"
        );
        let batch = [("1", "a".into()), ("nobody's", none.clone())];
        let batch = batch.map(|(data, topics)| (Message::data(data), topics));
        let answers = replayer.append(batch.into());
        let answers: Vec<_> = answers.iter().map(Result::is_ok).collect();
        assert_eq!(answers, [true, false]);
    }
    let after = seek(&replayer, &first, "a");
    assert_eq!(read(&replayer, after, &"a".into()), ["1", "1"]);
    assert_eq!(gap(&replayer, &id("own"), "a"), Gap::Unknown);
    for after in [Cursor::EARLIEST, after] {
        let page = page(&replayer, after, &none);
        assert_eq!((page.bytes.len(), page.next.after), (0, replayer.end()));
    }
    assert_eq!(gap(&replayer, &first, none), Gap::Unknown);
}

pub fn a_batch_is_stored_as_one_after_the_other(subject: Subject) {
    let replayer = subject();
    let first = put(&replayer, Message::data("first"), ["a", "b"]);
    let batch = [("1", "a"), ("2", "b"), ("3", "a")];
    let batch = batch.map(|(data, topic)| (Message::data(data), topic.into()));
    let mut before = replayer.end();
    for stored in replayer.append(batch.into()) {
        let stored = stored.expect("stored");
        assert!(stored.position > before, "in order");
        before = stored.position;
        let id = format!("id: {}\n", stored.id);
        assert!(stored.bytes.starts_with(id.as_bytes()));
    }
    assert_eq!(before, replayer.end());
    let topics = Topics::from(["a", "b"]);
    let after = seek(&replayer, &first, topics.clone());
    assert_eq!(read(&replayer, after, &topics), ["1", "2", "3"]);
    assert!(replayer.append(Vec::new()).is_empty());
}

pub fn a_flushed_history_goes_on(subject: Subject) {
    let replayer = subject();
    replayer.flush().expect("an empty history is flushed");
    let first = put(&replayer, Message::data("first"), "a");
    for data in ["1", "2"] {
        replayer.flush().expect("it is flushed");
        put(&replayer, Message::data(data), "a");
        replayer.flush().expect("it is flushed");
    }
    let after = seek(&replayer, &first, "a");
    assert_eq!(read(&replayer, after, &"a".into()), ["1", "2"]);
}

pub fn an_answer_without_blocking_is_the_same_or_would_block(subject: Subject) {
    let replayer = subject();
    let topics = Topics::from(["a", "b"]);
    let first = put(&replayer, Message::data("first"), "a");
    for n in 0..300 {
        let of = ["a", "b", "other"][n % 3];
        put(&replayer, Message::data("x".repeat(1_000)), of);
    }
    let place = replayer.cursor_id(Cursor::after(replayer.end()), &topics);
    for id in [&first, &place, &id("never")] {
        let [at_once, later] = [Blocking::Forbidden, Blocking::Allowed]
            .map(|blocking| replayer.seek(id, &topics, blocking));
        same_or_would_block(at_once, later, &replayer);
    }
    let mut from = seek(&replayer, &first, topics.clone());
    while from.after < replayer.end() {
        let [at_once, later] = [Blocking::Forbidden, Blocking::Allowed]
            .map(|blocking| replayer.page(from, replayer.end(), &topics, blocking));
        from = page(&replayer, from, &topics).next;
        same_or_would_block(at_once, later, &replayer);
    }
}

fn same_or_would_block<T: fmt::Debug + PartialEq>(
    at_once: Result<T, ReadError>,
    later: Result<T, ReadError>,
    replayer: &Arc<dyn Replayer>,
) {
    match (at_once, later) {
        (Ok(at_once), Ok(later)) => assert_eq!(at_once, later),
        (Err(ReadError::Gap(at_once)), Err(ReadError::Gap(later))) => assert_eq!(at_once, later),
        (Err(ReadError::WouldBlock), Ok(_) | Err(ReadError::Gap(_))) => {
            assert!(
                replayer.is_blocking(),
                "{replayer:?} says that it does not block"
            );
        }
        (at_once, later) => panic!("{at_once:?}, and where blocking is allowed {later:?}"),
    }
}
