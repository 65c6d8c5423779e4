//! Joe on a history that may block: nobody else waits for it, and all other behaviour is the same.

mod slow;

use std::{
    sync::{Arc, Mutex, atomic::Ordering},
    time::{Duration, Instant},
};

use futures_util::{FutureExt, StreamExt, future::join_all};
use sse_conformance::{decode, in_time, overflow, provider::Subject};
use sse_core::{
    EventId, FiniteReplayer, Hub, Joe, Message, Overflow, PublishError, ResumeFrom, SubscribeError,
    Subscription, Topics,
    joe::JoeBuilder,
    provider::{Provider, Subscriber},
    resume::Outcome,
    wire::Decoder,
};

use self::slow::{Gate, Slow, StoresThenWaits, slow};

mod provider_suite {
    const SUBJECT: super::Subject = super::Subject {
        make: || std::sync::Arc::new(super::slow().0.build()),
        keeps_history: true,
    };
    sse_conformance::provider_suite!(SUBJECT);
}

mod provider_suite_one_reader_at_a_time {
    const SUBJECT: super::Subject = super::Subject {
        make: || std::sync::Arc::new(super::slow().0.concurrent_replays(1).build()),
        keeps_history: true,
    };
    sse_conformance::provider_suite!(SUBJECT);
}

mod catch_up {
    const SUBJECT: super::overflow::Subject = super::overflow::Subject {
        make: |overflow| {
            let builder = super::slow().0.queue_messages(super::overflow::QUEUE);
            std::sync::Arc::new(builder.overflow(overflow).build())
        },
        overflow: super::Overflow::CatchUp,
        keeps_history: true,
    };
    sse_conformance::overflow_suite!(SUBJECT);
}

async fn publish(joe: &Joe, data: &str, topics: &str) -> EventId {
    let published = joe.publish(Message::data(data), topics.into()).await;
    published.unwrap().id.unwrap()
}

/// Returns the data of everything that comes until there are `count` messages.
async fn data(subscriber: &mut Subscriber, count: usize) -> Vec<String> {
    let mut events = Vec::new();
    while events.len() < count {
        let bytes = in_time("the next delivery", subscriber.next()).await;
        let bytes = bytes.expect("the stream goes on");
        events.extend(decode(&mut Decoder::new(), &bytes));
    }
    events.into_iter().map(|event| event.data).collect()
}

#[tokio::test]
async fn a_message_is_delivered_once_it_is_stored_and_nobody_else_waits() {
    let (builder, gate) = slow();
    let joe = Arc::new(builder.build());
    let mut subscriber = joe.subscribe(Subscription::default()).await.unwrap();
    gate.shut();
    let publishing = tokio::spawn({
        let joe = Arc::clone(&joe);
        async move { publish(&joe, "1", "").await }
    });
    gate.somebody_waits(1).await;
    // There is one thread here, and it is free: others come and go.
    assert!(subscriber.next().now_or_never().is_none(), "not stored yet");
    for _ in 0..10 {
        drop(joe.subscribe(Subscription::default()).await.unwrap());
    }
    assert!(!publishing.is_finished());
    gate.open();
    let id = in_time("the publish", publishing).await.unwrap();
    assert!(id.as_str().ends_with("-1"));
    assert_eq!(data(&mut subscriber, 1).await, ["1"]);
}

/// Checks that a reader waits for the delivery. Otherwise it would read the message again when it
/// is delivered, or read one that is lost after all.
#[tokio::test]
async fn a_stored_message_is_not_read_before_it_is_delivered() {
    let history = FiniteReplayer::new(10);
    let gate = Arc::new(Gate::default());
    let slow = Slow {
        history,
        gate: Arc::clone(&gate),
    };
    let joe = Arc::new(Joe::builder().replayer(StoresThenWaits(slow)).build());
    publish(&joe, "0", "").await;
    let earliest = Subscription::default().resume_from(ResumeFrom::Earliest);
    let mut reader = joe.subscribe(earliest).await.unwrap();
    gate.shut();
    let publishing = tokio::spawn({
        let joe = Arc::clone(&joe);
        async move { publish(&joe, "1", "").await }
    });
    gate.somebody_waits(1).await;
    assert_eq!(data(&mut reader, 1).await, ["0"], "from the history");
    assert!(!gate.pages.lock().unwrap().is_empty());
    // The result comes a moment later.
    let found = Instant::now();
    while found.elapsed() < Duration::from_millis(50) {
        assert!(reader.next().now_or_never().is_none(), "not delivered yet");
        tokio::task::yield_now().await;
    }
    gate.open();
    publishing.await.unwrap();
    publish(&joe, "2", "").await;
    assert_eq!(data(&mut reader, 2).await, ["1", "2"]);
}

#[tokio::test]
async fn a_message_that_could_not_be_stored_reaches_nobody() {
    let (builder, gate) = slow();
    let joe = builder.build();
    let mut subscriber = joe.subscribe(Subscription::default()).await.unwrap();
    gate.shut();
    gate.fail_next("disk full");
    let all = ["1", "2", "3"].map(|data| joe.publish(Message::data(data), Topics::default()));
    let open = async {
        gate.somebody_waits(1).await;
        gate.open();
    };
    let (published, ()) = tokio::join!(join_all(all), open);
    let [first, second, third] = published.try_into().unwrap();
    let error = first.unwrap_err();
    assert!(matches!(error, PublishError::Store(_)));
    assert!(error.to_string().ends_with("disk full"), "{error}");
    assert!(second.is_ok() && third.is_ok());
    assert_eq!(data(&mut subscriber, 2).await, ["2", "3"]);
    let earliest = Subscription::default().resume_from(ResumeFrom::Earliest);
    let mut late = joe.subscribe(earliest).await.unwrap();
    assert_eq!(data(&mut late, 2).await, ["2", "3"]);
}

#[tokio::test]
async fn a_publish_that_is_cancelled_before_its_turn_does_not_happen() {
    let (builder, gate) = slow();
    let joe = Arc::new(builder.build());
    let mut subscriber = joe.subscribe(Subscription::default()).await.unwrap();
    gate.shut();
    let mut first = Box::pin(joe.publish(Message::data("1"), Topics::default()));
    assert!((&mut first).now_or_never().is_none());
    gate.somebody_waits(1).await;
    let mut second = Box::pin(joe.publish(Message::data("2"), Topics::default()));
    assert!((&mut second).now_or_never().is_none());
    // The first has begun, the second has not.
    drop((first, second));
    gate.open();
    publish(&joe, "3", "").await;
    assert_eq!(data(&mut subscriber, 2).await, ["1", "3"]);
}

#[tokio::test]
async fn comments_keep_their_place_among_the_messages() {
    let (builder, gate) = slow();
    let joe = builder.build();
    let mut subscriber = joe.subscribe(Subscription::default()).await.unwrap();
    gate.shut();
    let messages = [
        Message::data("1"),
        Message::default().comment("between"),
        Message::data("2"),
    ];
    let all = messages.map(|message| joe.publish(message, Topics::default()));
    let open = async {
        gate.somebody_waits(1).await;
        gate.open();
    };
    let (published, ()) = tokio::join!(join_all(all), open);
    let ids = published.into_iter().map(|published| published.unwrap().id);
    assert_eq!(
        ids.map(|id| id.is_some()).collect::<Vec<_>>(),
        [true, false, true]
    );
    let mut text = String::new();
    while let Some(Some(bytes)) = subscriber.next().now_or_never() {
        text.push_str(str::from_utf8(&bytes).unwrap());
    }
    let lines = text.lines().filter(|line| line.starts_with([':', 'd']));
    assert_eq!(
        lines.collect::<Vec<_>>(),
        ["data: 1", ": between", "data: 2"]
    );
}

#[tokio::test]
async fn shutdown_comes_after_the_messages_published_before() {
    let (builder, gate) = slow();
    let joe = Arc::new(builder.build());
    let mut subscriber = joe.subscribe(Subscription::default()).await.unwrap();
    gate.shut();
    let mut before = Box::pin(joe.publish(Message::data("before"), Topics::default()));
    assert!((&mut before).now_or_never().is_none());
    let mut closing = Box::pin(joe.shutdown());
    assert!((&mut closing).now_or_never().is_none());
    let after = joe.publish(Message::data("after"), Topics::default());
    let open = async {
        gate.somebody_waits(1).await;
        gate.open();
    };
    let (before, closing, after, ()) = tokio::join!(before, closing, after, open);
    assert!(before.is_ok() && closing.is_ok());
    assert!(matches!(after, Err(PublishError::Closed(_))), "{after:?}");
    assert_eq!(
        gate.stored.load(Ordering::SeqCst),
        1,
        "the last one is not stored"
    );
    assert_eq!(data(&mut subscriber, 1).await, ["before"]);
    assert!(in_time("the end", subscriber.next()).await.is_none());
    assert!(joe.shutdown().await.is_err(), "only the first succeeds");
}

#[tokio::test]
async fn the_readers_without_a_permit_follow_in_their_order() {
    const READERS: usize = 20;
    let (builder, gate) = slow();
    let joe = builder.concurrent_replays(3).build();
    let names: Vec<String> = (0..READERS).map(|n| format!("{n:02}")).collect();
    for name in &names {
        publish(&joe, "1", name).await;
    }
    let mut readers = Vec::new();
    for name in &names {
        let earliest = Subscription::to(name.as_str()).resume_from(ResumeFrom::Earliest);
        readers.push(joe.subscribe(earliest).await.unwrap());
    }
    gate.most.store(0, Ordering::SeqCst);
    gate.shut();
    for reader in &mut readers {
        assert!(reader.next().now_or_never().is_none());
    }
    gate.somebody_waits(3).await;
    // A reader that leaves takes no permit with it.
    drop(readers.remove(READERS / 2));
    gate.open();
    for reader in &mut readers {
        assert_eq!(data(reader, 1).await, ["1"]);
    }
    assert_eq!(gate.most.load(Ordering::SeqCst), 3);
    let mut expected = names;
    expected.remove(READERS / 2);
    let pages = gate.pages.lock().unwrap().clone();
    // Three begin at the same time, so neighbours may change places.
    for (place, topic) in pages.iter().enumerate() {
        let asked = expected.iter().position(|name| name == topic).unwrap();
        assert!(asked.abs_diff(place) < 3, "{pages:?}");
    }
}

#[tokio::test]
async fn a_history_that_cannot_be_read_is_an_error_or_an_end() {
    let (builder, gate) = slow();
    let joe = builder.build();
    let first = publish(&joe, "1", "").await;
    publish(&joe, "2", "").await;
    let resume = || Subscription::default().resume_from(first.clone());
    gate.fail_next("bad block");
    let refused = joe.subscribe(resume()).await.unwrap_err();
    assert!(matches!(refused, SubscribeError::Store(_)), "{refused}");
    assert_eq!(
        (refused.status(), refused.public_text().contains("block")),
        (500, false)
    );
    let mut subscriber = joe.subscribe(resume()).await.unwrap();
    assert_eq!(subscriber.outcome(), Outcome::Recovered);
    gate.fail_next("bad block");
    assert!(in_time("the end", subscriber.next()).await.is_none());
    gate.fail_next("panic");
    assert!(joe.subscribe(resume()).await.is_err());
    let mut subscriber = joe.subscribe(resume()).await.unwrap();
    assert_eq!(data(&mut subscriber, 1).await, ["2"]);
}

#[tokio::test]
async fn a_history_that_panics_ends_the_streams_and_is_not_said_to_be_shut_down() {
    let (builder, gate) = slow();
    let (builder, reported) = reporting(builder);
    let joe = builder.build();
    let hub = Hub::new(joe);
    let mut body = hub.subscribe(Subscription::default()).await.unwrap();
    body.next().await;
    gate.fail_next("panic");
    let message = || Message::data("x");
    let lost = in_time("the publish", hub.publish(message(), Topics::default())).await;
    assert!(matches!(lost, Err(PublishError::Provider(_))), "{lost:?}");
    assert!(in_time("the end", body.next()).await.is_none());
    in_time("the news", hub.closed()).await;
    let refused = hub.publish(message(), Topics::default()).await;
    assert!(
        matches!(refused, Err(PublishError::Provider(_))),
        "{refused:?}"
    );
    let refused = hub.subscribe(Subscription::default()).await.unwrap_err();
    assert!(matches!(refused, SubscribeError::Provider(_)), "{refused}");
    assert!(refused.to_string().contains("panicked"), "{refused}");
    assert_eq!(reported.lock().unwrap().len(), 1);
}

/// Returns a builder whose errors are noted, and the notes.
fn reporting(builder: JoeBuilder) -> (JoeBuilder, Arc<Mutex<Vec<String>>>) {
    let reported = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&reported);
    let builder = builder.on_error(move |error| noted.lock().unwrap().push(error.to_string()));
    (builder, reported)
}

#[tokio::test]
async fn a_page_that_cannot_be_read_is_reported() {
    let (builder, gate) = slow();
    let (builder, reported) = reporting(builder);
    let joe = builder.build();
    publish(&joe, "1", "").await;
    let earliest = Subscription::default().resume_from(ResumeFrom::Earliest);
    let mut reader = joe.subscribe(earliest).await.unwrap();
    gate.fail_next("bad block");
    assert!(in_time("the end", reader.next()).await.is_none());
    assert_eq!(*reported.lock().unwrap(), ["bad block"]);
    // An error that is returned to a caller is not reported as well.
    gate.fail_next("disk full");
    let refused = joe.publish(Message::data("x"), Topics::default()).await;
    assert!(
        matches!(refused, Err(PublishError::Store(_))),
        "{refused:?}"
    );
    assert_eq!(reported.lock().unwrap().len(), 1);
}

#[test]
fn a_blocking_history_works_without_a_runtime() {
    let (builder, _gate) = slow();
    let joe = builder.build();
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    let mut publishing = Box::pin(joe.publish(Message::data("1"), Topics::default()));
    let published = loop {
        if let std::task::Poll::Ready(published) = publishing.as_mut().poll(&mut cx) {
            break published;
        }
        std::thread::yield_now();
    };
    published.unwrap();
    let earliest = Subscription::default().resume_from(ResumeFrom::Earliest);
    let mut reader = joe.subscribe(earliest).now_or_never().unwrap().unwrap();
    assert!(reader.next().now_or_never().is_some());
}
