//! Joe under loom: history and live messages join, and slow readers come back, under every
//! interleaving of threads.
#![cfg(sse_model)]

use std::{future::poll_fn, pin::pin, sync::Arc};

use futures_util::{FutureExt, Stream};
use loom::thread;
use sse_core::{
    EventId, FiniteReplayer, Joe, Message, Overflow, Subscription,
    joe::JoeBuilder,
    provider::{Provider, Subscriber},
    resume::Outcome,
};
use sse_models::block_on;

/// The number of times that threads may be interrupted at a place where they need not wait.
const INTERRUPTIONS: usize = 2;

fn check(model: impl Fn() + Send + Sync + 'static) {
    sse_models::check(INTERRUPTIONS, model);
}

fn with_history() -> JoeBuilder {
    Joe::builder().replayer(FiniteReplayer::new(100))
}

fn publish(joe: &Joe, n: u8, topics: &[&str]) -> Option<EventId> {
    let message = Message::data(n.to_string());
    let published = joe.publish(message, topics.into()).now_or_never();
    published.expect("Joe never waits").expect("Joe is open").id
}

fn subscribe(joe: &Joe, subscription: Subscription) -> Subscriber {
    let subscribed = joe.subscribe(subscription).now_or_never();
    subscribed.expect("Joe never waits").expect("Joe is open")
}

fn shut_down(joe: &Joe) {
    let closed = joe.shutdown().now_or_never();
    closed
        .expect("Joe never waits")
        .expect("nobody else shuts down");
}

/// Returns the data of everything up to the end of the stream.
fn rest(subscriber: Subscriber) -> Vec<String> {
    let mut subscriber = pin!(subscriber);
    let mut all = Vec::new();
    block_on(async {
        while let Some(bytes) = poll_fn(|cx| subscriber.as_mut().poll_next(cx)).await {
            let text = str::from_utf8(&bytes).expect("messages are text");
            let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
            all.extend(data.map(str::to_owned));
        }
    });
    all
}

#[test]
fn history_and_live_messages_join() {
    check(|| {
        let joe = Arc::new(with_history().build());
        let first = publish(&joe, 1, &["a"]);
        let publisher = Arc::clone(&joe);
        let publisher = thread::spawn(move || {
            publish(&publisher, 2, &["a"]);
            publish(&publisher, 3, &["a", "b"]);
            shut_down(&publisher);
        });
        let subscription = Subscription::to(["a", "b"]).resume_from(first);
        if let Some(Ok(subscriber)) = joe.subscribe(subscription).now_or_never() {
            assert_eq!(subscriber.outcome(), Outcome::Recovered);
            assert_eq!(rest(subscriber), ["2", "3"]);
        }
        publisher.join().unwrap();
        assert_eq!((joe.subscribers(), joe.queued_bytes()), (0, 0));
    });
}

#[test]
fn a_reader_that_falls_behind_catches_up() {
    check(|| {
        let joe = Arc::new(with_history().queue_messages(1).build());
        let subscriber = subscribe(&joe, Subscription::to(["a", "b"]));
        let publisher = Arc::clone(&joe);
        let publisher = thread::spawn(move || {
            for (n, topics) in (1..).zip([&["a"][..], &["b"], &["a"], &["a", "b"]]) {
                publish(&publisher, n, topics);
            }
            shut_down(&publisher);
        });
        assert_eq!(rest(subscriber), ["1", "2", "3", "4"]);
        publisher.join().unwrap();
        assert_eq!((joe.subscribers(), joe.queued_bytes()), (0, 0));
    });
}

#[test]
fn a_reader_that_skips_is_told_where_messages_are_missing() {
    check(|| {
        let builder = Joe::builder().queue_messages(1);
        let joe = Arc::new(builder.overflow(Overflow::Skip).build());
        let subscriber = subscribe(&joe, Subscription::to("a"));
        let publisher = Arc::clone(&joe);
        let publisher = thread::spawn(move || {
            for n in 1..=3 {
                publish(&publisher, n, &["a"]);
            }
            shut_down(&publisher);
        });
        let mut next = 1;
        let mut was_told = false;
        for data in rest(subscriber) {
            if let Ok(n) = data.parse::<u8>() {
                assert!(n == next || was_told && n > next, "{n} follows {next}");
                (next, was_told) = (n + 1, false);
            } else {
                was_told = true;
            }
        }
        assert!(next == 4 || was_told, "the end is missing at {next}");
        publisher.join().unwrap();
    });
}
