//! The promises of Joe beyond the provider suite: its bounds, and that nothing is left behind.

use std::{
    sync::{
        Arc, Mutex, OnceLock, Weak,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt};
use sse_conformance::decode;
use sse_core::{
    EventId, FiniteReplayer, Hub, Joe, Message, Overflow, PublishError, ResumeFrom, SubscribeError,
    Subscription, Topics,
    provider::{Provider, Subscriber},
    replay::{Blocking, Cursor, Page, Position, ReadError, Replayer, StoreError, Stored},
    resume::{Gap, Outcome},
    wire::Decoder,
};

async fn publish(joe: &Joe, data: impl Into<String>, topics: impl Into<Topics>) {
    joe.publish(Message::data(data), topics.into())
        .await
        .unwrap();
}

async fn subscribe(joe: &Joe, topics: impl Into<Topics>) -> Subscriber {
    joe.subscribe(Subscription::to(topics)).await.unwrap()
}

/// Returns the data of everything that can be read without waiting, and `true` if the stream has
/// ended.
fn pending(subscriber: &mut Subscriber) -> (Vec<String>, bool) {
    let mut decoder = Decoder::new();
    let mut data = Vec::new();
    loop {
        match subscriber.next().now_or_never() {
            Some(Some(bytes)) => data.extend(
                decode(&mut decoder, &bytes)
                    .into_iter()
                    .map(|event| event.data),
            ),
            Some(None) => return (data, true),
            None => return (data, false),
        }
    }
}

#[tokio::test]
async fn everything_pending_leaves_in_one_piece() {
    let joe = Joe::new();
    let mut subscriber = subscribe(&joe, ()).await;
    for n in 0..100 {
        publish(&joe, n.to_string(), ()).await;
    }
    let bytes = subscriber.next().await.unwrap();
    assert_eq!(decode(&mut Decoder::new(), &bytes).len(), 100);
    assert!(subscriber.next().now_or_never().is_none());
}

#[tokio::test]
async fn a_burst_larger_than_one_piece_comes_in_several() {
    for size in [
        100, 900, 6_500, 13_000, 21_800, 30_000, 65_500, 65_530, 70_000,
    ] {
        let joe = Joe::builder().queue_bytes(16 << 20).build();
        let mut several = subscribe(&joe, ["a", "b", "c"]).await;
        let mut one = subscribe(&joe, "a").await;
        let filler = "x".repeat(size);
        for n in 0..200 {
            let topics: &[&str] = match n % 61 {
                60 => &["b"],
                59 => &["a", "b", "c"],
                _ => &["a"],
            };
            publish(&joe, format!("{n} {filler}"), topics).await;
        }
        let number = |data: &String| data.split_once(' ').unwrap().0.parse().unwrap();
        let seen: Vec<usize> = pending(&mut several).0.iter().map(number).collect();
        assert!(seen.into_iter().eq(0..200), "messages of {size} bytes");
        let seen: Vec<usize> = pending(&mut one).0.iter().map(number).collect();
        assert!(seen.into_iter().eq((0..200).filter(|n| n % 61 != 60)));
    }
}

#[tokio::test]
async fn subscribers_share_the_bytes() {
    let joe = Joe::new();
    let mut subscribers = [subscribe(&joe, ()).await, subscribe(&joe, ()).await];
    for _ in 0..200 {
        publish(&joe, "x".repeat(1_000), ()).await;
    }
    let [one, other] = subscribers.each_mut().map(|subscriber| {
        let pieces = std::iter::from_fn(|| subscriber.next().now_or_never().flatten());
        pieces.collect::<Vec<_>>()
    });
    assert!(one.len() > 2, "a burst that does not fit into one piece");
    let places = |pieces: &[Bytes]| {
        pieces
            .iter()
            .map(|piece| piece.as_ptr())
            .collect::<Vec<_>>()
    };
    assert_eq!(places(&one), places(&other), "joined once for both");
    assert_eq!(joe.queued_bytes(), 0, "pieces go with the messages in them");
}

#[tokio::test]
async fn subscribers_that_have_left_leave_nothing_behind() {
    let joe = Joe::new();
    for n in 0..1_000 {
        let mut one = subscribe(&joe, [format!("{n}"), "all".to_owned()]).await;
        let two = subscribe(&joe, "all").await;
        publish(&joe, "x", "all").await;
        if n % 2 == 0 {
            assert_eq!(pending(&mut one), (vec!["x".to_owned()], false));
        }
        drop((one, two));
    }
    assert_eq!(joe.subscribers(), 0);
    assert_eq!(joe.queued_bytes(), 0);
    publish(&joe, "nobody", "all").await;
    assert_eq!(
        joe.queued_bytes(),
        0,
        "without a subscriber nothing is queued"
    );
}

#[tokio::test]
async fn the_queue_holds_only_messages_that_the_slowest_has_not_read() {
    let joe = Joe::new();
    let mut slow = subscribe(&joe, ()).await;
    let mut fast = subscribe(&joe, ()).await;
    publish(&joe, "x".repeat(1_000), ()).await;
    pending(&mut fast);
    assert!(joe.queued_bytes() > 1_000);
    pending(&mut slow);
    assert_eq!(joe.queued_bytes(), 0);
    publish(&joe, "x".repeat(1_000), ()).await;
    pending(&mut fast);
    drop(slow);
    assert_eq!(joe.queued_bytes(), 0);
}

#[tokio::test]
async fn without_history_a_reader_too_far_behind_ends_and_the_others_go_on() {
    let joe = Joe::builder().queue_messages(10).build();
    let mut behind = subscribe(&joe, ()).await;
    let mut reader = subscribe(&joe, ()).await;
    for n in 0..11 {
        publish(&joe, n.to_string(), ()).await;
        assert_eq!(pending(&mut reader), (vec![n.to_string()], false));
    }
    assert_eq!(pending(&mut behind), (vec![], true));
    publish(&joe, "on", ()).await;
    assert_eq!(pending(&mut reader), (vec!["on".to_owned()], false));
}

#[tokio::test]
async fn with_history_a_reader_too_far_behind_catches_up_unseen() {
    let replayer = FiniteReplayer::new(10_000);
    let joe = Joe::builder().replayer(replayer).queue_messages(10).build();
    let mut behind = subscribe(&joe, "a").await;
    publish(&joe, "0", "a").await;
    assert_eq!(pending(&mut behind).0, ["0"]);
    for n in 1..5_000 {
        publish(&joe, n.to_string(), "a").await;
        publish(&joe, "of another topic", "b").await;
    }
    let expected: Vec<_> = (1..5_000).map(|n| n.to_string()).collect();
    assert_eq!(pending(&mut behind), (expected, false));
    publish(&joe, "live", "a").await;
    assert_eq!(pending(&mut behind), (vec!["live".to_owned()], false));
}

#[tokio::test]
async fn a_reader_behind_a_history_that_is_too_short_ends() {
    let replayer = FiniteReplayer::new(20);
    let joe = Joe::builder().replayer(replayer).queue_messages(10).build();
    let mut behind = subscribe(&joe, ()).await;
    for n in 0..100 {
        publish(&joe, n.to_string(), ()).await;
    }
    assert_eq!(pending(&mut behind), (vec![], true));
}

/// Checks that a reader gets messages published after it has subscribed, also if it began with the
/// oldest.
#[tokio::test]
async fn a_reader_of_everything_is_told_of_messages_dropped_before_it_began_and_goes_on() {
    let history = FiniteReplayer::new(2);
    let joe = Joe::builder().replayer(history).build();
    publish(&joe, "0", ()).await;
    let earliest = Subscription::default().resume_from(ResumeFrom::Earliest);
    let mut reader = joe.subscribe(earliest).await.unwrap();
    for n in 1..=3 {
        publish(&joe, n.to_string(), ()).await;
    }
    let told = r#"{"reason":"expired"}"#;
    let expected = [told, "2", "3"].map(str::to_owned);
    assert_eq!(pending(&mut reader), (expected.into(), false));
}

/// Checks the order. A client that is cut off after such a message comes back with its id, and
/// would never learn of the lost one.
#[tokio::test]
async fn a_reader_that_skips_is_told_before_messages_that_follow_a_lost_one_of_another_topic() {
    let joe = Joe::builder().overflow(Overflow::Skip).queue_messages(2);
    let joe = joe.build();
    let mut reader = subscribe(&joe, ["a", "b"]).await;
    for topic in ["a", "b", "a", "b", "b", "b"] {
        publish(&joe, "x".repeat(60_000), topic).await;
    }
    let gap = Gap::Skipped.message().to_bytes();
    // With each piece until the lost messages lie behind it.
    for is_told in [true, true, true, false] {
        let bytes = reader.next().await.unwrap();
        assert_eq!(bytes.starts_with(&gap), is_told);
    }
    assert!(reader.next().now_or_never().is_none());
}

#[tokio::test]
async fn queues_are_bounded_in_bytes_each_and_together() {
    let joe = Joe::builder()
        .queue_bytes(10_000)
        .total_bytes(20_000)
        .build();
    let mut deaf = Vec::new();
    for topic in ["a", "b", "c", "d"] {
        deaf.push(subscribe(&joe, topic).await);
    }
    let message = "x".repeat(1_000);
    for _ in 0..100 {
        publish(&joe, &message, "a").await;
    }
    assert!(joe.queued_bytes() <= 10_000);
    for topic in ["b", "c", "d"] {
        for _ in 0..100 {
            publish(&joe, &message, topic).await;
        }
    }
    assert!(
        joe.queued_bytes() <= 20_000 + 4 * 1_200,
        "{}",
        joe.queued_bytes()
    );
    drop(deaf);
    assert_eq!(joe.queued_bytes(), 0);
}

#[tokio::test]
async fn when_all_queues_together_are_full_the_slowest_readers_pay() {
    let joe = Joe::builder().total_bytes(100_000).build();
    let mut deaf = Vec::new();
    for n in 0..20 {
        deaf.push(subscribe(&joe, format!("deaf {n}")).await);
        for _ in 0..10 {
            publish(&joe, "x".repeat(1_000), format!("deaf {n}")).await;
        }
    }
    assert!(joe.queued_bytes() <= 100_000 + 20 * 1_200);
    let mut reader = subscribe(&joe, "busy").await;
    for n in 0..1_000 {
        for half in [0, 1] {
            publish(&joe, format!("{n} {half} {}", "x".repeat(1_000)), "busy").await;
        }
        let (data, has_ended) = pending(&mut reader);
        assert_eq!((data.len(), has_ended), (2, false), "at {n}");
    }
    let ended = deaf
        .iter_mut()
        .filter_map(|reader| pending(reader).1.then_some(()));
    assert!(ended.count() > 5, "the oldest were dropped");
}

#[tokio::test]
async fn a_message_over_the_limit_is_refused_and_not_kept() {
    let replayer = FiniteReplayer::new(10);
    let joe = Arc::new(Joe::builder().replayer(replayer).build());
    let hub = Hub::builder(Arc::clone(&joe)).message_bytes(100).build();
    let mut subscriber = subscribe(joe.as_ref(), ()).await;
    let refused = hub
        .publish(Message::data("x".repeat(101)), Topics::default())
        .await;
    assert!(
        matches!(
            refused,
            Err(PublishError::TooLarge {
                size: 101,
                limit: 100
            })
        ),
        "{refused:?}"
    );
    let accepted = hub.publish(Message::data("x".repeat(100)), ()).await;
    assert!(accepted.is_ok(), "{accepted:?}");
    let kept = Subscription::default().resume_from(ResumeFrom::Earliest);
    let mut late = joe.subscribe(kept).await.unwrap();
    for subscriber in [&mut subscriber, &mut late] {
        assert_eq!(pending(subscriber).0, ["x".repeat(100)]);
    }
}

#[tokio::test]
async fn subscribers_and_their_topics_are_capped() {
    let joe = Arc::new(Joe::builder().max_subscribers(2).build());
    let hub = Hub::builder(Arc::clone(&joe)).max_topics(3).build();
    let first = subscribe(&joe, ()).await;
    let _second = hub.subscribe(["a", "b", "c"]).await.unwrap();
    let refused = joe.subscribe(Subscription::default()).await;
    assert!(
        matches!(refused, Err(SubscribeError::Full { limit: 2 })),
        "{refused:?}"
    );
    drop(first);
    let refused = hub.subscribe(["a", "b", "c", "d"]).await;
    assert!(
        matches!(
            refused,
            Err(SubscribeError::TooManyTopics { count: 4, limit: 3 })
        ),
        "{refused:?}"
    );
    assert_eq!(joe.subscribers(), 1);
}

/// A waker that reads its subscriber from inside the wake, as an executor may that polls at once.
struct ReadsWhenWoken(Mutex<Option<Subscriber>>, AtomicUsize);

impl Wake for ReadsWhenWoken {
    fn wake(self: Arc<Self>) {
        let mut subscriber = self.0.lock().unwrap().take().expect("woken once");
        let mut cx = Context::from_waker(Waker::noop());
        let Poll::Ready(Some(bytes)) = subscriber.poll_next_unpin(&mut cx) else {
            panic!("woken for a message");
        };
        self.1.store(bytes.len(), Ordering::Relaxed);
        // The subscriber is dropped, which takes every lock there is.
    }
}

#[tokio::test]
async fn no_lock_is_held_while_a_subscriber_is_woken() {
    let joe = Joe::new();
    let mut subscriber = subscribe(&joe, ()).await;
    let reads = Arc::new(ReadsWhenWoken(Mutex::new(None), AtomicUsize::new(0)));
    let waker = Waker::from(Arc::clone(&reads));
    assert!(
        subscriber
            .poll_next_unpin(&mut Context::from_waker(&waker))
            .is_pending()
    );
    *reads.0.lock().unwrap() = Some(subscriber);
    publish(&joe, "x", ()).await;
    assert_eq!(reads.1.load(Ordering::Relaxed), "data: x\n\n".len());
    assert_eq!(joe.subscribers(), 0);
}

/// A history that subscribes to Joe while it is read, which takes the lock that publishing takes.
#[derive(Debug)]
struct SubscribesWhenRead(FiniteReplayer, Arc<OnceLock<Weak<Joe>>>);

impl Replayer for SubscribesWhenRead {
    fn append(&self, batch: Vec<(Message, Topics)>) -> Vec<Result<Stored, StoreError>> {
        self.0.append(batch)
    }

    fn end(&self) -> Position {
        self.0.end()
    }

    fn cursor_id(&self, from: Cursor, topics: &Topics) -> EventId {
        self.0.cursor_id(from, topics)
    }

    fn earliest(&self, topics: &Topics) -> Cursor {
        self.0.earliest(topics)
    }

    fn seek(&self, id: &EventId, topics: &Topics, io: Blocking) -> Result<Cursor, ReadError> {
        self.0.seek(id, topics, io)
    }

    /// Returns one message at a time.
    fn page(
        &self,
        from: Cursor,
        until: Position,
        topics: &Topics,
        io: Blocking,
    ) -> Result<Page, ReadError> {
        come_and_go(&self.1.get().and_then(Weak::upgrade).unwrap());
        let next = Position(from.after.0 + 1);
        self.0.page(from, until.min(next), topics, io)
    }
}

/// A waker that subscribes to Joe.
struct SubscribesWhenWoken(Arc<Joe>);

impl Wake for SubscribesWhenWoken {
    fn wake(self: Arc<Self>) {
        come_and_go(&self.0);
    }
}

/// Takes every lock that a subscriber takes.
fn come_and_go(joe: &Joe) {
    let subscribed = joe.subscribe(Subscription::to("other")).now_or_never();
    drop(subscribed.expect("Joe never waits").unwrap());
}

#[tokio::test]
async fn no_lock_is_held_while_history_is_read_or_its_reader_woken() {
    let cell = Arc::new(OnceLock::new());
    let history = FiniteReplayer::new(10_000);
    let replayer = SubscribesWhenRead(history, Arc::clone(&cell));
    let joe = Arc::new(Joe::builder().replayer(replayer).build());
    cell.set(Arc::downgrade(&joe)).unwrap();
    let first = joe.publish(Message::data("1"), "a".into()).await.unwrap();
    for _ in 0..3_000 {
        // In these pages nothing is for the reader, so it wakes itself and goes on.
        publish(&joe, "x", "b").await;
    }
    let (done, finished) = mpsc::channel();
    // On another thread, because a lock that is taken twice would hang the test.
    std::thread::spawn(move || {
        let subscription = Subscription::to("a").resume_from(first.id);
        let mut subscriber = joe.subscribe(subscription).now_or_never().unwrap().unwrap();
        let waker = Waker::from(Arc::new(SubscribesWhenWoken(Arc::clone(&joe))));
        for _ in 0..10 {
            assert!(
                subscriber
                    .poll_next_unpin(&mut Context::from_waker(&waker))
                    .is_pending()
            );
        }
        done.send(()).unwrap();
    });
    finished
        .recv_timeout(Duration::from_secs(20))
        .expect("no lock is taken twice");
}

#[tokio::test]
async fn comments_are_delivered_but_not_kept() {
    let joe = Joe::builder().replayer(FiniteReplayer::new(10)).build();
    let mut live = subscribe(&joe, ()).await;
    let published = joe
        .publish(Message::data("1"), Topics::default())
        .await
        .unwrap();
    let comment = Message::default().comment("hi");
    assert_eq!(
        joe.publish(comment, Topics::default()).await.unwrap().id,
        None
    );
    let bytes = live.next().await.unwrap();
    assert!(bytes.ends_with(b": hi\n"));
    let subscription = Subscription::default().resume_from(published.id);
    let mut resumed = joe.subscribe(subscription).await.unwrap();
    assert_eq!(resumed.outcome(), Outcome::Recovered);
    assert!(resumed.next().now_or_never().is_none(), "up to date");
}
