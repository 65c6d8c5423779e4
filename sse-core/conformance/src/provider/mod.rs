//! The duties of a [`Provider`].

#![expect(missing_docs, reason = "a case is its name")]

mod ends;
mod listener;
mod resume;

use std::{collections::HashMap, future::Future, sync::Arc};

use sse_core::{
    EventId, EventType, Hub, Message, OnGap, PublishError, ResumeFrom, SubscribeError,
    Subscription, Topics,
    provider::Provider,
    resume::{Gap, Outcome},
};

pub(crate) use self::listener::Listener;
pub use self::{ends::*, resume::*};
use crate::cases::block_on;

/// The provider that the suite is run on.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// Makes a provider that nobody else uses, with bounds that let 1,000 small messages through.
    pub make: fn() -> Arc<dyn Provider>,
    /// `true` if it keeps the last 10,000 small messages for clients that reconnect. If `false`,
    /// each of them is told of a gap.
    pub keeps_history: bool,
}

/// Runs one case.
#[doc(hidden)]
pub fn run<F: Future<Output = ()>>(case: fn(Subject) -> F, subject: Subject) {
    block_on(case(subject));
}

/// Runs every provider case on a [`Subject`](crate::provider::Subject).
#[macro_export]
macro_rules! provider_suite {
    ($subject:expr) => {
        $crate::cases!(
            provider,
            $subject,
            [
                delivers_to_the_subscribers_of_the_topic,
                delivers_once_however_many_topics_match,
                a_topic_that_is_not_named_is_the_default_one,
                a_message_to_no_topics_reaches_nobody,
                a_subscription_to_no_topics_gets_nothing,
                bytes_are_the_message_with_its_id,
                every_subscriber_sees_the_same_order,
                a_publish_after_subscribe_is_delivered,
                a_subscriber_that_never_reads_delays_nobody,
                a_subscriber_far_behind_is_never_misled,
                subscribers_come_and_go_while_messages_are_published,
                an_empty_message_is_refused,
                an_id_that_no_client_could_send_back_is_refused,
                a_long_type_is_refused,
                topics_beyond_the_limits_are_refused,
                an_empty_id_counts_as_none,
                the_type_of_a_gap_is_refused,
                finishing_delivers_accepted_messages_and_ends,
                a_busy_topic_does_not_keep_a_finishing_stream_open,
                the_last_handle_takes_the_streams_along,
                shutdown_delivers_published_messages_and_ends_every_stream,
                after_shutdown_everything_is_refused,
                without_an_id_a_subscription_is_fresh,
                a_stream_cut_before_its_first_message_is_continued_or_told,
                a_place_opens_its_own_topics_only,
                a_client_told_of_a_gap_has_a_place_to_come_back_to,
                a_known_id_is_recovered,
                an_up_to_date_client_gets_nothing_again,
                an_unknown_id_is_a_gap,
                an_unreadable_id_is_a_gap,
                an_id_from_another_topic_is_a_gap,
                explicit_and_generated_ids_mix,
                history_joins_live_without_gap_or_double,
                the_earliest_is_every_message_that_is_kept,
                a_client_with_an_id_is_not_sent_to_the_earliest,
                a_gap_is_followed_by_everything_if_wanted,
                a_gap_is_a_refusal_if_wanted,
                a_silent_gap_goes_on_with_the_next_message,
            ]
        );
    };
}

/// Returns the hub through which an application publishes, and which checks messages.
fn hub(provider: &Arc<dyn Provider>) -> Hub {
    Hub::new(Arc::clone(provider))
}

async fn publish(
    provider: &Arc<dyn Provider>,
    data: impl ToString,
    topics: impl Into<Topics>,
) -> Option<EventId> {
    let message = Message::data(data.to_string());
    provider
        .publish(message, topics.into())
        .await
        .expect("the message is published")
        .id
}

async fn subscribe(provider: &Arc<dyn Provider>, subscription: Subscription) -> Listener {
    Listener::new(
        provider
            .subscribe(subscription)
            .await
            .expect("the client is subscribed"),
    )
}

pub async fn delivers_to_the_subscribers_of_the_topic(subject: Subject) {
    let provider = (subject.make)();
    let mut news = subscribe(&provider, Subscription::to("news")).await;
    let mut sport = subscribe(&provider, Subscription::to(["sport", "weather"])).await;
    publish(&provider, "n", "news").await;
    publish(&provider, "w", "weather").await;
    publish(&provider, "nobody", "New").await;
    publish(&provider, "both", ["news", "weather"]).await;
    assert_eq!(news.data(2).await, ["n", "both"]);
    assert_eq!(sport.data(2).await, ["w", "both"]);
}

pub async fn delivers_once_however_many_topics_match(subject: Subject) {
    let provider = (subject.make)();
    let mut listener = subscribe(&provider, Subscription::to(["a", "b", "c"])).await;
    publish(&provider, "1", ["a", "b", "c", "d"]).await;
    publish(&provider, "2", ["c", "a", "a"]).await;
    publish(&provider, "end", "b").await;
    assert_eq!(listener.data(3).await, ["1", "2", "end"]);
}

pub async fn a_topic_that_is_not_named_is_the_default_one(subject: Subject) {
    let provider = (subject.make)();
    let mut listener = subscribe(&provider, Subscription::default()).await;
    publish(&provider, "1", ()).await;
    publish(&provider, "2", Topics::DEFAULT).await;
    assert_eq!(listener.data(2).await, ["1", "2"]);
}

/// Returns no topics, as a filter does that lets nothing through.
fn none() -> Topics {
    Topics::from(Vec::<String>::new())
}

pub async fn a_message_to_no_topics_reaches_nobody(subject: Subject) {
    let provider = (subject.make)();
    let all = Subscription::to(["", "a"]).resume_from(ResumeFrom::Earliest);
    let mut listener = subscribe(&provider, all.clone()).await;
    for id in [None, Some("own")] {
        let mut message = Message::data("nobody's");
        if let Some(id) = id {
            message = message.id(id.try_into().expect("a valid id"));
        }
        let published = provider.publish(message, none()).await;
        assert_eq!(published.expect("no topic is no error").id, None);
    }
    let refused = hub(&provider).publish(Message::default(), none()).await;
    assert!(matches!(refused, Err(PublishError::Empty)), "{refused:?}");
    assert!(listener.is_idle());
    publish(&provider, "end", "").await;
    assert_eq!(listener.data(1).await, ["end"]);
    if subject.keeps_history {
        let mut late = subscribe(&provider, all).await;
        assert_eq!(late.data(1).await, ["end"], "it is not in the history");
    }
    provider.shutdown().await.expect("the first shutdown");
    let closed = provider.publish(Message::data("x"), none()).await;
    assert!(matches!(closed, Err(PublishError::Closed(_))), "{closed:?}");
}

pub async fn a_subscription_to_no_topics_gets_nothing(subject: Subject) {
    let provider = (subject.make)();
    let unknown: EventId = "never-given-out".try_into().expect("a valid id");
    publish(&provider, "before", ["", "a"]).await;
    let mut listeners = Vec::new();
    for from in [
        ResumeFrom::Latest,
        ResumeFrom::Earliest,
        ResumeFrom::After(unknown),
    ] {
        for on_gap in [OnGap::Tell, OnGap::Replay, OnGap::Refuse] {
            let to_none = Subscription::to(none());
            let to_none = to_none.resume_from(from.clone()).on_gap(on_gap);
            listeners.push(subscribe(&provider, to_none).await);
        }
    }
    publish(&provider, "after", ["", "a"]).await;
    provider
        .publish(Message::data("nobody's"), none())
        .await
        .expect("no topic is no error");
    for listener in &mut listeners {
        let outcome = listener.outcome();
        assert!(!matches!(outcome, Outcome::Gap(_)), "it misses nothing");
        assert!(listener.is_idle());
    }
    let waiting: Vec<_> = listeners
        .into_iter()
        .map(|listener| tokio::spawn(listener.rest()))
        .collect();
    tokio::task::yield_now().await;
    provider.shutdown().await.expect("the first shutdown");
    for rest in waiting {
        assert_eq!(rest.await.expect("the task does not panic"), [""; 0]);
    }
}

pub async fn bytes_are_the_message_with_its_id(subject: Subject) {
    let provider = (subject.make)();
    let mut listener = subscribe(&provider, Subscription::default()).await;
    let message = Message::data("a\nb").event("price".try_into().expect("a valid type"));
    let published = provider
        .publish(message.clone(), Topics::default())
        .await
        .expect("published");
    assert_eq!(
        published.id.is_some(),
        subject.keeps_history,
        "history gives ids"
    );
    let expected = match published.id {
        Some(id) => message.id(id),
        None => message,
    };
    assert_eq!(listener.bytes().await, expected.to_bytes());
}

pub async fn every_subscriber_sees_the_same_order(subject: Subject) {
    const PUBLISHERS: usize = 4;
    const MESSAGES: usize = 100;
    let provider = (subject.make)();
    let mut listeners = Vec::new();
    for _ in 0..8 {
        listeners.push(subscribe(&provider, Subscription::default()).await);
    }
    for publisher in 0..PUBLISHERS {
        let provider = Arc::clone(&provider);
        tokio::spawn(async move {
            for n in 0..MESSAGES {
                publish(&provider, format!("{publisher} {n}"), ()).await;
                tokio::task::yield_now().await;
            }
        });
    }
    let first = listeners[0].data(PUBLISHERS * MESSAGES).await;
    for listener in &mut listeners[1..] {
        assert_eq!(listener.data(PUBLISHERS * MESSAGES).await, first);
    }
    let mut next = HashMap::new();
    for message in &first {
        let (publisher, n) = message.split_once(' ').expect("two numbers");
        let next = next.entry(publisher).or_insert(0);
        assert_eq!(n, next.to_string(), "each publisher's order is kept");
        *next += 1;
    }
}

pub async fn a_publish_after_subscribe_is_delivered(subject: Subject) {
    let provider = (subject.make)();
    for n in 0..200 {
        let mut listener = subscribe(&provider, Subscription::default()).await;
        let publisher = Arc::clone(&provider);
        tokio::spawn(async move { publish(&publisher, n, ()).await });
        assert_eq!(listener.data(1).await, [n.to_string()]);
    }
}

pub async fn a_subscriber_that_never_reads_delays_nobody(subject: Subject) {
    let provider = (subject.make)();
    let _deaf = subscribe(&provider, Subscription::default()).await;
    let mut listener = subscribe(&provider, Subscription::default()).await;
    for n in 0..5_000 {
        publish(&provider, n, ()).await;
        assert_eq!(listener.data(1).await, [n.to_string()]);
    }
}

/// Checks that the reader gets everything, or that its stream ends where the next message is
/// missing, so that it can resume.
pub async fn a_subscriber_far_behind_is_never_misled(subject: Subject) {
    let provider = (subject.make)();
    let mut behind = subscribe(&provider, Subscription::default()).await;
    publish(&provider, 0, ()).await;
    assert_eq!(behind.data(1).await, ["0"]);
    for n in 1..20_000 {
        publish(&provider, n, ()).await;
    }
    provider.shutdown().await.expect("the first shutdown");
    let seen = behind.rest().await;
    assert!(
        seen.iter().zip(1..).all(|(data, n)| *data == n.to_string()),
        "no message is missing before the end of the stream"
    );
}

pub async fn subscribers_come_and_go_while_messages_are_published(subject: Subject) {
    let provider = (subject.make)();
    let churn: Vec<_> = (0..4)
        .map(|worker| {
            let provider = Arc::clone(&provider);
            tokio::spawn(async move {
                for n in 0..500 {
                    let topics = [format!("{worker}"), format!("{}", n % 7), "all".into()];
                    let mut listener = subscribe(&provider, Subscription::to(topics)).await;
                    if n % 5 == 0 {
                        // Or the end, if it was too slow for the publishers, which do not pause.
                        listener.piece().await;
                    }
                }
            })
        })
        .collect();
    let mut steady = subscribe(&provider, Subscription::to("all")).await;
    let mut n = 0;
    while churn.iter().any(|worker| !worker.is_finished()) {
        publish(&provider, n, ["all", "0", "1"]).await;
        assert_eq!(steady.data(1).await, [n.to_string()]);
        n += 1;
    }
    for worker in churn {
        worker.await.expect("no worker panics");
    }
}

pub async fn an_empty_message_is_refused(subject: Subject) {
    let provider = (subject.make)();
    let refused = hub(&provider)
        .publish(Message::default(), Topics::default())
        .await;
    assert!(matches!(refused, Err(PublishError::Empty)), "{refused:?}");
}

pub async fn an_id_that_no_client_could_send_back_is_refused(subject: Subject) {
    let provider = (subject.make)();
    let mut listener = subscribe(&provider, Subscription::default()).await;
    let hub = hub(&provider);
    for (length, is_accepted) in [(EventId::MAX_BYTES, true), (EventId::MAX_BYTES + 1, false)] {
        let id = EventId::try_from("x".repeat(length)).expect("a valid id");
        let published = hub
            .publish(Message::data("x").id(id), Topics::default())
            .await;
        assert_eq!(published.is_ok(), is_accepted, "{length} bytes");
    }
    publish(&provider, "end", ()).await;
    assert_eq!(listener.data(2).await, ["x", "end"]);
}

pub async fn a_long_type_is_refused(subject: Subject) {
    let provider = (subject.make)();
    let mut listener = subscribe(&provider, Subscription::default()).await;
    let hub = hub(&provider);
    for (length, is_accepted) in [
        (EventType::MAX_BYTES, true),
        (EventType::MAX_BYTES + 1, false),
    ] {
        let event = EventType::try_from("x".repeat(length)).expect("a valid type");
        let published = hub.publish(Message::data("x").event(event), ()).await;
        assert_eq!(published.is_ok(), is_accepted, "{length} bytes");
    }
    publish(&provider, "end", ()).await;
    assert_eq!(listener.data(2).await, ["x", "end"]);
}

pub async fn topics_beyond_the_limits_are_refused(subject: Subject) {
    const TOPICS: usize = 128;
    const BYTES: usize = 1024;
    let provider = (subject.make)();
    let hub = hub(&provider);
    let many = |count: usize| (0..count).map(|n| n.to_string()).collect::<Topics>();
    let long = |bytes: usize| Topics::from("t".repeat(bytes));
    for topics in [many(TOPICS), long(BYTES)] {
        let mut listener = subscribe(&provider, Subscription::to(topics.clone())).await;
        assert!(hub.subscribe(topics.clone()).await.is_ok());
        let published = hub.publish(Message::data("x"), topics).await;
        assert!(published.is_ok(), "{published:?}");
        assert_eq!(listener.data(1).await, ["x"]);
    }
    let mut listener = subscribe(&provider, Subscription::to("0")).await;
    let published = hub.publish(Message::data("x"), many(TOPICS + 1)).await;
    assert!(
        matches!(
            published,
            Err(PublishError::TooManyTopics {
                count: 129,
                limit: TOPICS
            })
        ),
        "{published:?}"
    );
    let subscribed = hub.subscribe(many(TOPICS + 1)).await;
    assert!(
        matches!(
            subscribed,
            Err(SubscribeError::TooManyTopics {
                count: 129,
                limit: TOPICS
            })
        ),
        "{subscribed:?}"
    );
    let mixed = || Topics::from(["0".to_owned(), "t".repeat(BYTES + 1)]);
    let published = hub.publish(Message::data("x"), mixed()).await;
    assert!(
        matches!(
            published,
            Err(PublishError::TopicTooLong {
                size: 1025,
                limit: BYTES
            })
        ),
        "{published:?}"
    );
    let subscribed = hub.subscribe(mixed()).await;
    assert!(
        matches!(
            subscribed,
            Err(SubscribeError::TopicTooLong {
                size: 1025,
                limit: BYTES
            })
        ),
        "{subscribed:?}"
    );
    publish(&provider, "end", "0").await;
    assert_eq!(listener.data(1).await, ["end"], "nothing of it was sent");
}

/// Publishes an empty id. If it were sent, clients would forget where they are, and miss messages
/// in silence.
pub async fn an_empty_id_counts_as_none(subject: Subject) {
    let provider = (subject.make)();
    let mut listener = subscribe(&provider, Subscription::default()).await;
    let message = Message::data("x").id(EventId::from_static(""));
    let published = hub(&provider)
        .publish(message, Topics::default())
        .await
        .expect("published");
    assert_eq!(published.id.is_some(), subject.keeps_history);
    let bytes = listener.bytes().await;
    assert!(
        !bytes.starts_with(b"id: \n") && !bytes.starts_with(b"id:\n"),
        "{bytes:?}"
    );
    let nothing = Message::default().id(EventId::from_static(""));
    let refused = hub(&provider).publish(nothing, Topics::default()).await;
    assert!(matches!(refused, Err(PublishError::Empty)), "{refused:?}");
}

pub async fn the_type_of_a_gap_is_refused(subject: Subject) {
    let provider = (subject.make)();
    let mut listener = subscribe(&provider, Subscription::default()).await;
    let forged = Gap::Unknown.message();
    let refused = hub(&provider).publish(forged, Topics::default()).await;
    assert!(
        matches!(refused, Err(PublishError::ReservedType)),
        "{refused:?}"
    );
    publish(&provider, "end", ()).await;
    assert_eq!(listener.data(1).await, ["end"]);
}

pub async fn without_an_id_a_subscription_is_fresh(subject: Subject) {
    let provider = (subject.make)();
    publish(&provider, "before", ()).await;
    let mut listener = subscribe(&provider, Subscription::default()).await;
    assert_eq!(listener.outcome(), Outcome::Fresh);
    publish(&provider, "after", ()).await;
    assert_eq!(listener.data(1).await, ["after"]);
}
