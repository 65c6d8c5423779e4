//! The fan-out under loom: every interleaving of threads with a limited number of interruptions,
//! and every value that an atomic may have.
#![cfg(sse_model)]

use std::{
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use loom::thread;
use sse_core::{
    Topics,
    fanout::{Bounds, Fanout, Listener, Read},
    provider::ProviderClosed,
    replay::Position,
};
use sse_models::block_on;

/// The number of times that threads may be interrupted at a place where they need not wait.
const INTERRUPTIONS: usize = 3;

fn check(model: impl Fn() + Send + Sync + 'static) {
    sse_models::check(INTERRUPTIONS, model);
}

fn fanout(queue_messages: usize) -> Arc<Fanout> {
    Arc::new(Fanout::new(Bounds {
        queue_messages,
        ..Bounds::default()
    }))
}

/// Publishes one byte, which is also its position.
fn publish(fanout: &Fanout, n: u8, topics: impl Into<Topics>) -> Result<(), ProviderClosed> {
    let guard = fanout.lock()?;
    guard.publish(
        &topics.into(),
        &Bytes::copy_from_slice(&[n]),
        Position(n.into()),
    );
    Ok(())
}

fn listen(fanout: &Fanout, topics: impl Into<Topics>) -> Listener {
    let listens = fanout.listen(&topics.into(), None);
    listens.expect("there is room").0
}

/// Waits for the next read.
async fn read(listener: &mut Listener) -> Read {
    poll_fn(|cx| listener.poll_read(cx)).await
}

/// Returns everything that can be read without waiting.
fn pending(listener: &mut Listener) -> Vec<u8> {
    let mut all = Vec::new();
    let mut cx = Context::from_waker(Waker::noop());
    while let Poll::Ready(Read::Bytes(bytes, _)) = listener.poll_read(&mut cx) {
        all.extend_from_slice(&bytes);
    }
    all
}

/// Reads up to the end or the overflow, in one task, which is woken again and again. Returns `true`
/// with the bytes if it was the end.
fn rest(listener: &mut Listener) -> (Vec<u8>, bool) {
    block_on(async {
        let mut all = Vec::new();
        loop {
            match read(listener).await {
                Read::Bytes(bytes, position) => {
                    all.extend_from_slice(&bytes);
                    assert_eq!(bytes.last().copied().map(u64::from), Some(position.0));
                }
                Read::Skipped(..) => unreachable!("readers do not skip here"),
                Read::Closed => return (all, true),
                Read::Overflow => return (all, false),
            }
        }
    })
}

#[test]
fn a_waiting_listener_is_woken() {
    check(|| {
        let fanout = fanout(10);
        let mut listener = listen(&fanout, "a");
        let reader = thread::spawn(move || {
            let read = block_on(read(&mut listener));
            assert_eq!(read, Read::Bytes("1".into(), Position(49)));
        });
        publish(&fanout, b'1', "a").unwrap();
        reader.join().unwrap();
        assert_eq!((fanout.subscribers(), fanout.queued_bytes()), (0, 0));
    });
}

#[test]
fn a_listener_of_several_topics_is_woken_by_each() {
    check(|| {
        let fanout = fanout(10);
        let mut listener = listen(&fanout, ["a", "b"]);
        let publisher = Arc::clone(&fanout);
        let publisher = thread::spawn(move || {
            publish(&publisher, 1, "b").unwrap();
            publish(&publisher, 2, "a").unwrap();
        });
        let seen = block_on(async {
            let mut seen = Vec::new();
            while seen.len() < 2 {
                let Read::Bytes(bytes, _) = read(&mut listener).await else {
                    panic!("nothing is lost here");
                };
                seen.extend_from_slice(&bytes);
            }
            seen
        });
        assert_eq!(seen, [1, 2]);
        publisher.join().unwrap();
        drop(listener);
        assert_eq!((fanout.subscribers(), fanout.queued_bytes()), (0, 0));
    });
}

/// Runs two publishers of messages for both topics and for one, with a reader of both topics and a
/// reader of one.
#[test]
fn every_listener_sees_the_same_order_and_each_message_once() {
    check(|| {
        let fanout = fanout(10);
        let mut both = listen(&fanout, ["a", "b"]);
        let mut one = listen(&fanout, "b");
        let [first, second] = [1, 2].map(|n| {
            let fanout = Arc::clone(&fanout);
            thread::spawn(move || publish(&fanout, n, ["a", "b"]).unwrap())
        });
        let mut seen = pending(&mut both);
        first.join().unwrap();
        second.join().unwrap();
        seen.extend(pending(&mut both));
        assert!(seen == [1, 2] || seen == [2, 1], "{seen:?}");
        assert_eq!(seen, pending(&mut one));
    });
}

/// Checks that a reader that falls out of its queues at any moment has seen everything up to some
/// message, and nothing after it.
#[test]
fn an_overflow_leaves_no_hole() {
    check(|| {
        let fanout = fanout(1);
        let mut listener = listen(&fanout, ["a", "b"]);
        publish(&fanout, 1, "a").unwrap();
        publish(&fanout, 2, "b").unwrap();
        let publisher = Arc::clone(&fanout);
        let publisher = thread::spawn(move || {
            publish(&publisher, 3, "a").unwrap();
            publish(&publisher, 4, ["a", "b"]).unwrap();
            publisher.close().unwrap();
        });
        let (seen, is_end) = rest(&mut listener);
        assert!(
            seen.iter()
                .copied()
                .eq(1..=u8::try_from(seen.len()).unwrap()),
            "{seen:?}"
        );
        assert!(!is_end || seen.len() == 4, "{seen:?}");
        publisher.join().unwrap();
        drop(listener);
        assert_eq!((fanout.subscribers(), fanout.queued_bytes()), (0, 0));
    });
}

#[test]
fn published_messages_are_delivered_before_the_end() {
    check(|| {
        let fanout = fanout(10);
        let mut listener = listen(&fanout, ["a", "b"]);
        let publisher = Arc::clone(&fanout);
        let publisher = thread::spawn(move || publish(&publisher, 1, "a").is_ok());
        let closer = Arc::clone(&fanout);
        let closer = thread::spawn(move || closer.close().unwrap());
        let (seen, is_end) = rest(&mut listener);
        assert!(is_end);
        let was_published = publisher.join().unwrap();
        assert_eq!(seen, if was_published { vec![1] } else { vec![] });
        closer.join().unwrap();
    });
}

#[test]
fn a_listener_that_leaves_leaves_nothing_behind() {
    check(|| {
        let fanout = fanout(10);
        let mut leaving = listen(&fanout, ["a", "b"]);
        let mut staying = listen(&fanout, "a");
        let leaver = thread::spawn(move || {
            let mut cx = Context::from_waker(Waker::noop());
            let _ = leaving.poll_read(&mut cx);
            drop(leaving);
        });
        publish(&fanout, 1, "a").unwrap();
        publish(&fanout, 2, ["a", "b"]).unwrap();
        leaver.join().unwrap();
        assert_eq!(pending(&mut staying), [1, 2]);
        assert_eq!((fanout.subscribers(), fanout.queued_bytes()), (1, 0));
    });
}

/// Checks that a listener sees everything from some message on, without a hole, and every message
/// whose publishing began after the listener came.
#[test]
fn a_new_listener_sees_everything_from_then_on() {
    check(|| {
        let fanout = fanout(10);
        let coming = Arc::clone(&fanout);
        let comer = thread::spawn(move || {
            let mut listener = listen(&coming, ["a", "b"]);
            let seen = pending(&mut listener);
            (listener, seen)
        });
        publish(&fanout, 1, "a").unwrap();
        let was_here = fanout.subscribers() == 1;
        publish(&fanout, 2, ["a", "b"]).unwrap();
        let (mut listener, mut seen) = comer.join().unwrap();
        seen.extend(pending(&mut listener));
        let all = [1, 2];
        assert!(all.ends_with(&seen), "{seen:?}");
        assert!(!was_here || seen.ends_with(&[2]), "{seen:?}");
    });
}
