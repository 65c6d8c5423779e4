//! The response body: its first bytes, keep-alive, ends. Time is paused, and passes when nothing
//! else happens.

use std::{future, sync::Arc, time::Duration};

use futures_util::{FutureExt, StreamExt, stream};
use sse_core::{
    EventId, FiniteReplayer, Hub, Joe, Message, OnGap, ResumeFrom, SseBody, SubscribeError,
    Subscription, Topics,
    channel::Sender,
    provider::Subscriber,
    resume::{Gap, Outcome},
};
use tokio::time::{Instant, advance, timeout};

fn hub() -> Hub {
    Hub::new(Joe::builder().replayer(FiniteReplayer::new(100)).build())
}

async fn opened(hub: &Hub) -> SseBody {
    let mut body = hub.subscribe(Subscription::default()).await.unwrap();
    let opening = body.next().now_or_never().flatten();
    is_place(&opening.expect("the first byte is there at once"));
    body
}

/// Checks that the bytes are the id of a place and a blank line.
fn is_place(bytes: &[u8]) {
    let text = std::str::from_utf8(bytes).unwrap();
    let lines: Vec<_> = text.split('\n').collect();
    assert!(
        matches!(lines[..], [id, "", ""] if id.starts_with("id: ")),
        "{text:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn keep_alive_comes_after_15_seconds_of_silence_by_default() {
    let hub = hub();
    let mut body = opened(&hub).await;
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
async fn a_missed_keep_alive_comes_at_once_and_only_once() {
    let hub = hub();
    let mut body = opened(&hub).await;
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
    let text = String::from_utf8(told.next().await.unwrap().to_vec()).unwrap();
    let (id, rest) = text.split_once('\n').unwrap();
    assert!(id.starts_with("id: "), "{text:?}");
    assert_eq!(rest, "event: gap\ndata: {\"reason\":\"unknown\"}\n\n");
    let mut silent = hub
        .subscribe(unknown().on_gap(OnGap::Silent))
        .await
        .unwrap();
    assert_eq!(silent.outcome(), Outcome::Gap(Gap::Unknown));
    is_place(&silent.next().await.unwrap());
    let without = hub.subscribe(Subscription::default()).await.unwrap();
    let mut without = without.opening_id(false);
    assert_eq!(without.next().await.unwrap(), ":\n");
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
    let messages = [Message::data("a"), Message::default(), Message::data("b")];
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
async fn a_channel_may_have_any_capacity() {
    for capacity in [0, usize::MAX / 2, usize::MAX] {
        let (sender, mut body) = SseBody::channel(capacity);
        sender.send(Message::data("a")).await.unwrap();
        body.next().await;
        assert_eq!(body.next().await.unwrap(), "data: a\n\n");
    }
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

#[tokio::test]
async fn topics_are_a_subscription_to_new_messages() {
    let hub = hub();
    hub.publish(Message::data("before"), "a").await.unwrap();
    let published = {
        let topic = "a".to_owned();
        let mut bodies = [
            hub.subscribe(&topic).await.unwrap(),
            hub.subscribe(["a", "b"]).await.unwrap(),
        ];
        let published = hub.publish(Message::data("1"), &topic);
        drop(topic);
        let id = published.await.unwrap().id.unwrap();
        for body in &mut bodies {
            is_place(&body.next().await.unwrap());
            let expected = format!("id: {id}\ndata: 1\n\n");
            assert_eq!(body.next().await.unwrap(), expected);
        }
        id
    };
    let mut missed_nothing = hub
        .subscribe(Subscription::to("a").resume_from(published))
        .await
        .unwrap();
    assert_eq!(missed_nothing.outcome(), Outcome::Recovered);
    missed_nothing.next().await;
    assert!(missed_nothing.next().now_or_never().is_none());
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
    is_place(&body.next().await.unwrap());
    for _ in 0..3 {
        assert_eq!(body.next().await.unwrap(), ":\n");
    }
    let waiting = tokio::spawn(async move { body.next().await });
    tokio::task::yield_now().await;
    hub.shutdown().await.unwrap();
    assert_eq!(waiting.await.unwrap(), None);
}

/// Returns the text that a client gets which reads to the end.
async fn rest(body: SseBody) -> String {
    let all = timeout(Duration::from_secs(600), body.collect::<Vec<_>>()).await;
    String::from_utf8(all.expect("the body ends").concat()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn accepted_messages_are_delivered_before_the_end() {
    let hub = hub();
    hub.publish(Message::data("kept"), "t").await.unwrap();
    let earliest = Subscription::to("t").resume_from(ResumeFrom::Earliest);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let until = async move { drop(stopped.await) };
    let live = hub.subscribe(Subscription::to("t")).await.unwrap();
    let live = live.until(until);
    hub.publish(Message::data("done"), "t").await.unwrap();
    stop.send(()).unwrap();
    hub.publish(Message::data("busy"), "t").await.unwrap();
    assert!(rest(live).await.contains("data: done\n\n"));
    let late = hub.subscribe(earliest).await.unwrap();
    let text = rest(late.until(future::ready(()))).await;
    assert!(text.ends_with("data: busy\n\n"), "{text:?}");
    assert!(text.contains("data: kept\n\n"), "{text:?}");

    let (sender, body) = SseBody::channel(4);
    let body = body.until(hub.closed());
    sender.send(Message::data("pending")).await.unwrap();
    hub.shutdown().await.unwrap();
    assert_eq!(rest(body).await, ":\ndata: pending\n\n");
    assert!(sender.send(Message::data("late")).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn the_first_of_several_ends_ends_a_body_and_an_endless_stream_too() {
    let endless = || stream::repeat_with(|| Message::data("x"));
    let body = SseBody::stream(endless()).until(future::pending());
    let body = body.until(future::ready(())).until(future::pending());
    let text = rest(body).await;
    assert_eq!(text.matches("data: x").count(), 1_024);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_nothing_loses_its_place_without_being_polled() {
    let joe = Arc::new(Joe::builder().max_subscribers(4).build());
    let hub = Hub::new(Arc::clone(&joe));
    let guard = Arc::new(());
    let mut stuck = Vec::new();
    for _ in 0..3 {
        let mut body = opened(&hub).await;
        let guarded = Arc::clone(&guard);
        body = body.until(async move {
            future::pending::<()>().await;
            drop(guarded);
        });
        stuck.push(body);
    }
    // One was polled again and is pending, one has more to read, one was not polled again.
    assert!(stuck[0].next().now_or_never().is_none());
    hub.publish(Message::data("x"), ()).await.unwrap();
    assert!(stuck[1].next().now_or_never().is_some());
    let mut reading = opened(&hub).await;
    let reading = tokio::spawn(async move { while reading.next().await.is_some() {} });
    // deadline: paused time, which passes at once
    tokio::time::sleep(Duration::from_secs(100)).await;
    assert_eq!(joe.subscribers(), 4);
    // deadline: paused time, which passes at once
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(joe.subscribers(), 1, "only the client that reads is left");
    assert_eq!(Arc::strong_count(&guard), 1, "and its guards are gone");
    for mut body in stuck {
        assert_eq!(body.next().now_or_never(), Some(None), "it has ended");
    }
    hub.shutdown().await.unwrap();
    reading.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_end_does_not_wait_for_a_client_that_reads_nothing() {
    let joe = Arc::new(Joe::new());
    let hub = Hub::builder(Arc::clone(&joe)).send_timeout(None).build();
    let body = opened(&hub).await;
    // deadline: paused time, which passes at once
    let end = tokio::time::sleep(Duration::from_secs(20));
    let mut body = body.until(end);
    assert!(body.next().now_or_never().is_none());
    // deadline: paused time, which passes at once
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(joe.subscribers(), 0);
    assert_eq!(body.next().now_or_never(), Some(None));
}

#[tokio::test(start_paused = true)]
async fn a_slow_client_that_reads_keeps_its_place() {
    let joe = Arc::new(Joe::new());
    let hub = Hub::new(Arc::clone(&joe));
    let mut body = opened(&hub).await;
    for _ in 0..20 {
        hub.publish(Message::data("x"), ()).await.unwrap();
        // deadline: paused time, which passes at once
        tokio::time::sleep(Duration::from_secs(100)).await;
        assert!(body.next().now_or_never().flatten().is_some());
    }
    let mut body = body.send_timeout(None);
    // deadline: paused time, which passes at once
    tokio::time::sleep(Duration::from_secs(100_000)).await;
    assert!(body.next().now_or_never().is_none(), "it has not ended");
    assert_eq!(joe.subscribers(), 1);
}

#[test]
fn a_panic_in_the_future_that_ends_a_body_harms_no_other() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let hub = Hub::builder(Joe::new()).send_timeout(None).build();
        let mut stuck = opened(&hub).await.until(async {
            // deadline: paused time, which passes at once
            tokio::time::sleep(Duration::from_secs(20)).await;
            panic!("a bug of the application");
        });
        let mut other = opened(&hub).await;
        assert!(stuck.next().now_or_never().is_none());
        for _ in 0..10 {
            assert_eq!(other.next().await.unwrap(), ":\n");
        }
    });
}

#[tokio::test]
async fn a_runtime_without_a_clock_is_an_error_at_the_call() {
    let without_clock = || {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap()
    };
    let hub = hub();
    let subscribed = std::thread::scope(|scope| {
        let subscribe = || without_clock().block_on(hub.subscribe(Subscription::default()));
        scope.spawn(subscribe).join().unwrap()
    });
    let error = subscribed.unwrap_err();
    assert!(matches!(error, SubscribeError::NoClock), "{error}");
    assert!(error.to_string().contains("enable_time"), "{error}");
    let plain = Hub::builder(Joe::new()).keep_alive(None).send_timeout(None);
    let plain = plain.build();
    let opened = std::thread::scope(|scope| {
        scope
            .spawn(|| without_clock().block_on(opened(&plain)))
            .join()
    });
    assert!(opened.is_ok());
}

#[tokio::test]
async fn empty_messages_yield_to_other_tasks() {
    let body = SseBody::stream(stream::repeat_with(Message::default));
    let mut body = body.keep_alive(None);
    body.next().await;
    assert!(body.next().now_or_never().is_none(), "it gives way");
}

#[tokio::test(start_paused = true)]
async fn a_dropped_hub_ends_its_streams_after_what_was_published() {
    let hub = hub();
    let body = hub.subscribe(Subscription::to("job")).await.unwrap();
    hub.publish(Message::data("done"), "job").await.unwrap();
    let closed = hub.closed();
    let clone = hub.clone();
    drop(hub);
    assert!(closed.now_or_never().is_none(), "there is another");
    let closed = clone.closed();
    let waiting = SseBody::stream(stream::pending()).until(clone.closed());
    drop(clone);
    assert!(rest(body).await.ends_with("data: done\n\n"));
    closed.await;
    assert_eq!(rest(waiting).await, ":\n");
}

#[test]
fn everything_handed_to_a_framework_is_send_sync_unpin_and_static() {
    fn assert<T: Send + Sync + Unpin + 'static>() {}
    assert::<SseBody>();
    assert::<Subscriber>();
    assert::<Sender>();
    assert::<Hub>();
}
