//! The response body: its first bytes, keep-alive, ends. Time is paused: it passes when nothing else happens.

use std::{future, time::Duration};

use futures_util::{FutureExt, StreamExt, stream};
use sse_core::{
    EventId, FiniteReplayer, Gap, Hub, Joe, Message, OnGap, Outcome, Sender, SseBody, Subscriber,
    Subscription, Topics,
};
use tokio::time::{Instant, advance, timeout};

fn hub() -> Hub {
    Hub::new(
        Joe::builder()
            .replayer(FiniteReplayer::new(100).unwrap())
            .build(),
    )
}

async fn opened(hub: &Hub) -> SseBody {
    let mut body = hub.subscribe(Subscription::default()).await.unwrap();
    assert_eq!(
        body.next().now_or_never().flatten().unwrap(),
        ":\n",
        "the first byte is there at once"
    );
    body
}

#[tokio::test(start_paused = true)]
async fn keep_alive_comes_after_15_seconds_of_silence_by_default() {
    let mut body = opened(&hub()).await;
    for _ in 0..3 {
        let started = Instant::now();
        assert_eq!(body.next().await.unwrap(), ":\n");
        let silence = started.elapsed();
        assert!(silence >= Duration::from_secs(15), "{silence:?}");
        assert!(silence <= Duration::from_millis(15_050), "{silence:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn keep_alive_is_reset_by_every_message() {
    let hub = hub();
    let mut body = opened(&hub).await;
    for _ in 0..10 {
        assert!(
            timeout(Duration::from_secs(14), body.next()).await.is_err(),
            "nothing to send yet"
        );
        hub.publish(Message::data("x"), ()).await.unwrap();
        assert!(body.next().await.unwrap().ends_with(b"data: x\n\n"));
    }
    assert_eq!(body.next().await.unwrap(), ":\n");
}

#[tokio::test(start_paused = true)]
async fn keep_alive_can_be_set_and_turned_off() {
    let hub = Hub::builder(Joe::new())
        .keep_alive(Duration::from_secs(1))
        .build();
    let mut body = opened(&hub.clone()).await;
    let started = Instant::now();
    body.next().await;
    assert!(started.elapsed() < Duration::from_secs(2));
    let mut body = body.keep_alive(None);
    assert!(
        timeout(Duration::from_secs(3600), body.next())
            .await
            .is_err()
    );
}

#[tokio::test(start_paused = true)]
async fn a_keep_alive_that_was_missed_comes_at_once_and_only_once() {
    let mut body = opened(&hub()).await;
    assert!(body.next().now_or_never().is_none());
    advance(Duration::from_secs(60)).await;
    assert_eq!(body.next().now_or_never().flatten().unwrap(), ":\n");
    assert!(body.next().now_or_never().is_none());
}

#[tokio::test(start_paused = true)]
async fn many_bodies_are_kept_alive_by_one_timer() {
    let hub = hub();
    let mut bodies = Vec::new();
    for _ in 0..1_000 {
        bodies.push(opened(&hub).await);
    }
    let tasks = tokio::runtime::Handle::current()
        .metrics()
        .num_alive_tasks();
    let started = Instant::now();
    let mut comments = stream::select_all(&mut bodies).take(1_000);
    while let Some(comment) = comments.next().await {
        assert_eq!(comment, ":\n");
    }
    assert!(started.elapsed() <= Duration::from_millis(15_050));
    let with_timer = tokio::runtime::Handle::current()
        .metrics()
        .num_alive_tasks();
    assert!(with_timer <= tasks + 1, "one task for all: {with_timer}");
}

#[tokio::test]
async fn a_gap_is_told_first_or_left_to_the_handler() {
    let hub = hub();
    let unknown = || Subscription::default().resume_from(Some("unknown".try_into().unwrap()));
    let mut told = hub.subscribe(unknown()).await.unwrap();
    assert_eq!(told.outcome(), Outcome::Gap(Gap::Unknown));
    assert_eq!(
        told.next().await.unwrap(),
        ":\nevent: gap\ndata: {\"reason\":\"unknown\"}\n\n"
    );
    let mut silent = hub
        .subscribe(unknown().on_gap(OnGap::Silent))
        .await
        .unwrap();
    assert_eq!(silent.outcome(), Outcome::Gap(Gap::Unknown));
    assert_eq!(silent.next().await.unwrap(), ":\n");
}

#[tokio::test]
async fn dropping_a_body_unsubscribes() {
    let joe = std::sync::Arc::new(Joe::new());
    let hub = Hub::new(std::sync::Arc::clone(&joe));
    let body = hub.subscribe(Subscription::default()).await.unwrap();
    assert_eq!(joe.subscribers(), 1);
    drop(body);
    assert_eq!(joe.subscribers(), 0);
}

#[tokio::test]
async fn a_stream_of_messages_is_a_body() {
    let messages = [
        Message::data("a"),
        Message::without_data(),
        Message::data("b"),
    ];
    let body = SseBody::stream(stream::iter(messages));
    assert_eq!(
        body.collect::<Vec<_>>().await,
        [":\n", "data: a\n\n", "data: b\n\n"]
    );
}

#[tokio::test]
async fn a_channel_is_bounded_and_ends_with_its_senders() {
    let (sender, mut body) = SseBody::channel(2);
    for data in ["a", "b"] {
        sender.send(Message::data(data)).await.unwrap();
    }
    assert!(
        sender.send(Message::data("c")).now_or_never().is_none(),
        "full: the sender waits"
    );
    body.next().await;
    assert_eq!(
        body.next().await.unwrap(),
        "data: a\n\ndata: b\n\n",
        "pending messages leave in one piece"
    );
    drop(sender);
    assert_eq!(body.next().await, None);
    assert_eq!(body.next().await, None, "and stays ended");
}

#[tokio::test]
async fn a_sender_learns_that_the_client_is_gone() {
    let (sender, body) = SseBody::channel(0);
    assert!(!sender.is_closed());
    let waiting = tokio::spawn({
        let sender = sender.clone();
        async move { sender.closed().await }
    });
    drop(body);
    timeout(Duration::from_secs(10), waiting)
        .await
        .unwrap()
        .unwrap();
    assert!(sender.send(Message::data("x")).await.is_err());
}

#[tokio::test]
async fn shutdown_ends_streams_that_wait_for_it() {
    let hub = hub();
    let mut body = SseBody::stream(stream::pending()).until(hub.closed());
    body.next().await;
    assert!(body.next().now_or_never().is_none());
    hub.shutdown_on(future::ready(())).await;
    assert_eq!(
        timeout(Duration::from_secs(10), body.next()).await.unwrap(),
        None
    );
    assert!(
        hub.shutdown().await.is_err(),
        "only the first call succeeds"
    );
}

#[tokio::test(start_paused = true)]
async fn a_subscription_to_no_topics_is_kept_alive_and_ends_with_the_hub() {
    let hub = hub();
    let allowed: Topics = ["admin"].into_iter().filter(|_| false).collect();
    let unknown = EventId::from_static("unknown");
    let nothing = Subscription::to(allowed).resume_from(unknown);
    let mut body = hub.subscribe(nothing).await.unwrap();
    hub.publish(Message::data("not for everyone"), ())
        .await
        .unwrap();
    for _ in 0..3 {
        assert_eq!(body.next().await.unwrap(), ":\n");
    }
    let waiting = tokio::spawn(async move { body.next().await });
    tokio::task::yield_now().await;
    hub.shutdown().await.unwrap();
    assert_eq!(waiting.await.unwrap(), None);
}

#[test]
fn everything_handed_to_a_framework_is_send_sync_unpin_and_static() {
    fn assert<T: Send + Sync + Unpin + 'static>() {}
    assert::<SseBody>();
    assert::<Subscriber>();
    assert::<Sender>();
    assert::<Hub>();
}
