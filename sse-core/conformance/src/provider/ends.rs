//! Cases about the ends of streams.

use sse_core::{Message, PublishError, ResumeFrom, SubscribeError, Subscription, Topics};

use super::{Subject, publish, subscribe};

pub async fn finishing_delivers_accepted_messages_and_ends(subject: Subject) {
    let provider = (subject.make)();
    let mut live = subscribe(&provider, Subscription::default()).await;
    let idle = subscribe(&provider, Subscription::to("idle")).await;
    for n in 0..50 {
        publish(&provider, n, ()).await;
    }
    let earliest = Subscription::default().resume_from(ResumeFrom::Earliest);
    let early = subscribe(&provider, earliest.clone()).await;
    let mut half_way = subscribe(&provider, earliest).await;
    let kept = if subject.keeps_history { 50 } else { 0 };
    assert_eq!(half_way.data(kept.min(1)).await.len(), kept.min(1));
    assert_eq!(live.data(10).await.len(), 10);
    let expected = [40, 0, kept, kept - kept.min(1)];
    for (mut listener, expected) in [live, idle, early, half_way].into_iter().zip(expected) {
        listener.finish();
        listener.finish();
        assert_eq!(listener.rest().await.len(), expected);
    }
}

pub async fn a_busy_topic_does_not_keep_a_finishing_stream_open(subject: Subject) {
    let provider = (subject.make)();
    for n in 0..1_000 {
        publish(&provider, n, ()).await;
    }
    let live = Subscription::default();
    let earliest = live.clone().resume_from(ResumeFrom::Earliest);
    for subscription in [live, earliest] {
        let mut listener = subscribe(&provider, subscription).await;
        publish(&provider, "before", ()).await;
        listener.finish();
        // There is more at each read.
        let mut n = 0;
        let mut all = Vec::new();
        loop {
            n += 1;
            assert!(n < 5_000, "it is still open");
            publish(&provider, format!("after {n}"), ()).await;
            let Some(events) = listener.events().await else {
                break;
            };
            all.extend(events.into_iter().map(|event| event.data));
        }
        assert!(all.contains(&"before".to_owned()), "{all:?}");
    }
}

/// Drops the last handle. Nobody can publish any more, and a reader that waited for a message would
/// wait for ever.
pub async fn the_last_handle_takes_the_streams_along(subject: Subject) {
    let provider = (subject.make)();
    let mut reader = subscribe(&provider, Subscription::to("a")).await;
    let waiting = subscribe(&provider, Subscription::to("b")).await;
    let waiting = tokio::spawn(waiting.rest());
    publish(&provider, "last", "a").await;
    drop(provider);
    assert_eq!(reader.data(1).await, ["last"]);
    assert_eq!(reader.rest().await, [""; 0]);
    assert_eq!(waiting.await.expect("the task does not panic"), [""; 0]);
}

pub async fn shutdown_delivers_published_messages_and_ends_every_stream(subject: Subject) {
    let provider = (subject.make)();
    let mut reader = subscribe(&provider, Subscription::to("a")).await;
    let idle = subscribe(&provider, Subscription::to("b")).await;
    let waiting = tokio::spawn(idle.rest());
    publish(&provider, "last", "a").await;
    provider.shutdown().await.expect("the first shutdown");
    assert_eq!(reader.data(1).await, ["last"]);
    assert_eq!(reader.rest().await, [""; 0]);
    assert_eq!(waiting.await.expect("the task does not panic"), [""; 0]);
}

pub async fn after_shutdown_everything_is_refused(subject: Subject) {
    let provider = (subject.make)();
    provider.shutdown().await.expect("the first shutdown");
    let published = provider
        .publish(Message::data("x"), Topics::default())
        .await;
    assert!(
        matches!(published, Err(PublishError::Closed(_))),
        "{published:?}"
    );
    let subscribed = provider.subscribe(Subscription::default()).await;
    assert!(
        matches!(subscribed, Err(SubscribeError::Closed(_))),
        "{subscribed:?}"
    );
    assert!(provider.shutdown().await.is_err(), "the second shutdown");
}
