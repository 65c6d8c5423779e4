//! What a [`Replayer`] must do.

#![expect(missing_docs, reason = "a case is its name")]

use std::sync::Arc;

use sse_core::{Decoder, EventId, Gap, Message, Position, Replayer, Topics};

use crate::{OwnedEvent, decode};

/// What the suite is run on: makes an empty replayer that keeps at least 10,000 small messages for a minute.
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
                an_id_that_looks_like_a_given_one_is_not_mistaken_for_it,
                history_is_read_while_it_grows,
            ]
        );
    };
}

fn put(replayer: &Arc<dyn Replayer>, message: Message, topics: impl Into<Topics>) -> EventId {
    replayer
        .put(message, &topics.into())
        .expect("the message is stored")
        .id
}

fn id(text: &str) -> EventId {
    text.try_into().expect("a valid id")
}

/// All data that follows a position.
fn read(replayer: &Arc<dyn Replayer>, mut after: Position, topics: &Topics) -> Vec<String> {
    events(replayer, &mut after, topics)
        .into_iter()
        .map(|event| event.data)
        .collect()
}

fn events(replayer: &Arc<dyn Replayer>, after: &mut Position, topics: &Topics) -> Vec<OwnedEvent> {
    let mut events = Vec::new();
    let mut decoder = Decoder::new();
    while *after < replayer.end() {
        let page = replayer.page(*after, topics).expect("nothing was dropped");
        assert!(page.next > *after, "a page goes on");
        let size: usize = page.messages.iter().map(bytes::Bytes::len).sum();
        assert!(
            size <= 1 << 20 || page.messages.len() == 1,
            "a page is bounded: {size} bytes"
        );
        for message in &page.messages {
            let one = decode(&mut decoder, message);
            assert_eq!(one.len(), 1, "whole messages");
            events.extend(one);
        }
        *after = page.next;
    }
    events
}

pub fn a_message_without_id_is_given_one(subject: Subject) {
    let replayer = subject();
    let stored = replayer
        .put(Message::data("x"), &Topics::default())
        .expect("stored");
    let text = String::from_utf8(stored.bytes.to_vec()).expect("UTF-8");
    assert_eq!(text, format!("id: {}\ndata: x\n\n", stored.id));
    assert_eq!(stored.position, replayer.end());
}

pub fn given_ids_are_short_plain_and_different(subject: Subject) {
    let replayer = subject();
    let mut ids: Vec<_> = (0..100)
        .map(|_| put(&replayer, Message::data("x"), ()))
        .collect();
    for id in &ids {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte);
        assert!(
            id.as_str().bytes().all(plain) && id.as_str().len() <= 128,
            "{id} would cause a preflight"
        );
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 100);
}

pub fn an_id_of_the_application_is_kept(subject: Subject) {
    let replayer = subject();
    let own = id("gr\u{fc}n 1");
    assert_eq!(put(&replayer, Message::data("1").id(own.clone()), ()), own);
    put(&replayer, Message::data("2"), ());
    put(&replayer, Message::data("3").id(id("other")), ());
    let after = replayer
        .seek(&own, &Topics::default())
        .expect("the id is known");
    assert_eq!(read(&replayer, after, &Topics::default()), ["2", "3"]);
}

pub fn what_is_stored_is_what_is_sent(subject: Subject) {
    let replayer = subject();
    let first = put(&replayer, Message::data("first"), ());
    let event = "price".try_into().expect("a valid type");
    let message = Message::data("a\nb").event(event).comment("c");
    let stored = replayer.put(message, &Topics::default()).expect("stored");
    let after = replayer
        .seek(&first, &Topics::default())
        .expect("the id is known");
    let page = replayer
        .page(after, &Topics::default())
        .expect("nothing was dropped");
    assert_eq!(page.messages, [stored.bytes]);
}

pub fn an_up_to_date_client_is_at_the_end(subject: Subject) {
    let replayer = subject();
    for _ in 0..50 {
        let newest = put(&replayer, Message::data("x"), ());
        assert_eq!(
            replayer.seek(&newest, &Topics::default()),
            Ok(replayer.end())
        );
    }
    let newest = put(&replayer, Message::data("x").id(id("manual")), ());
    assert_eq!(
        replayer.seek(&newest, &Topics::default()),
        Ok(replayer.end())
    );
}

pub fn what_follows_an_id_comes_in_order(subject: Subject) {
    let replayer = subject();
    let ids: Vec<_> = (0..20)
        .map(|n| put(&replayer, Message::data(n.to_string()), ()))
        .collect();
    for (n, id) in ids.iter().enumerate() {
        let mut after = replayer
            .seek(id, &Topics::default())
            .expect("the id is known");
        let expected: Vec<_> = (n + 1..20)
            .map(|n| (ids[n].to_string(), n.to_string()))
            .collect();
        let events = events(&replayer, &mut after, &Topics::default());
        let seen: Vec<_> = events
            .into_iter()
            .map(|event| (event.id, event.data))
            .collect();
        assert_eq!(seen, expected);
        assert_eq!(after, replayer.end());
    }
}

pub fn pages_go_on_to_the_end_of_a_long_history(subject: Subject) {
    let replayer = subject();
    let first = put(&replayer, Message::data("first"), ());
    let expected: Vec<_> = (0..9_000).map(|n| format!("message {n}")).collect();
    for data in &expected {
        put(&replayer, Message::data(data), ());
    }
    let after = replayer
        .seek(&first, &Topics::default())
        .expect("the id is known");
    assert_eq!(read(&replayer, after, &Topics::default()), expected);
}

pub fn pages_hold_the_messages_of_the_topics_only(subject: Subject) {
    let replayer = subject();
    let quiet = put(&replayer, Message::data("quiet 1"), "quiet");
    for n in 0..5_000 {
        put(&replayer, Message::data(n.to_string()), "busy");
    }
    put(&replayer, Message::data("quiet 2"), "quiet");
    let after = replayer
        .seek(&quiet, &"quiet".into())
        .expect("the id is known");
    assert_eq!(read(&replayer, after, &"quiet".into()), ["quiet 2"]);
}

pub fn a_message_of_several_topics_comes_once(subject: Subject) {
    let replayer = subject();
    let topics = Topics::from(["a", "b"]);
    let first = put(&replayer, Message::data("1"), "a");
    put(&replayer, Message::data("2"), ["a", "b", "c"]);
    put(&replayer, Message::data("3"), "c");
    let after = replayer.seek(&first, &topics).expect("the id is known");
    assert_eq!(read(&replayer, after, &topics), ["2"]);
}

pub fn an_id_never_given_out_is_unknown(subject: Subject) {
    let replayer = subject();
    assert_eq!(
        replayer.seek(&id("never"), &Topics::default()),
        Err(Gap::Unknown)
    );
    let given = put(&replayer, Message::data("x"), ());
    for wrong in [
        "never".to_owned(),
        format!("{given}0"),
        format!("0{given}"),
        format!("{given} "),
        "0".into(),
    ] {
        assert_eq!(
            replayer.seek(&id(&wrong), &Topics::default()),
            Err(Gap::Unknown),
            "{wrong:?}"
        );
    }
}

pub fn an_id_of_another_log_is_unknown(subject: Subject) {
    let (before, after) = (subject(), subject());
    let old = put(&before, Message::data("x"), ());
    put(&after, Message::data("y"), ());
    put(&after, Message::data("z"), ());
    assert_eq!(after.seek(&old, &Topics::default()), Err(Gap::Unknown));
}

pub fn an_id_of_another_topic_opens_nothing(subject: Subject) {
    let replayer = subject();
    let other = put(&replayer, Message::data("a"), "other");
    let manual = put(&replayer, Message::data("a").id(id("manual")), "other");
    put(&replayer, Message::data("b"), "mine");
    assert_eq!(replayer.seek(&other, &"mine".into()), Err(Gap::Unknown));
    assert_eq!(replayer.seek(&manual, &"mine".into()), Err(Gap::Unknown));
}

pub fn a_repeated_id_continues_after_the_oldest(subject: Subject) {
    let replayer = subject();
    for data in ["1", "2", "3"] {
        put(&replayer, Message::data(data).id(id("same")), ());
    }
    let after = replayer
        .seek(&id("same"), &Topics::default())
        .expect("the id is known");
    assert_eq!(
        read(&replayer, after, &Topics::default()),
        ["2", "3"],
        "rather twice than never"
    );
}

pub fn an_id_that_looks_like_a_given_one_is_not_mistaken_for_it(subject: Subject) {
    let replayer = subject();
    let given = put(&replayer, Message::data("1"), ());
    put(&replayer, Message::data("2"), ());
    put(&replayer, Message::data("3").id(given.clone()), ());
    let after = replayer
        .seek(&given, &Topics::default())
        .expect("the id is known");
    let rest = read(&replayer, after, &Topics::default());
    assert!(
        rest == ["2", "3"] || rest.is_empty(),
        "after one of the two that have it: {rest:?}"
    );
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
    let mut after = replayer
        .seek(&first, &Topics::default())
        .expect("the id is known");
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
