//! The limits of a hub: whatever exceeds one is refused before the provider hears of it.

use async_trait::async_trait;
use sse_core::{
    EventId, EventType, Hub, Message, PublishError, SubscribeError, Subscription, Topics,
    hub::HubBuilder,
    provider::{Provider, ProviderClosed, Published, Subscriber},
};

/// Answers that it is shut down, which is then the sign that it was asked.
#[derive(Debug)]
struct Asked;

#[async_trait]
impl Provider for Asked {
    async fn publish(&self, _: Message, _: Topics) -> Result<Published, PublishError> {
        Err(ProviderClosed.into())
    }

    async fn subscribe(&self, _: Subscription) -> Result<Subscriber, SubscribeError> {
        Err(ProviderClosed.into())
    }

    async fn shutdown(&self) -> Result<(), ProviderClosed> {
        Err(ProviderClosed)
    }
}

/// Returns the answers to a publish and to a subscription, each as a text.
async fn answers(builder: HubBuilder, message: Message, topics: Topics) -> [String; 2] {
    let hub = builder.build();
    let subscribed = hub.subscribe(topics.clone()).await.map(drop);
    let published = hub.publish(message, topics).await.map(drop);
    [
        published.unwrap_err().to_string(),
        subscribed.unwrap_err().to_string(),
    ]
}

const ASKED: &str = "shut down";

#[tokio::test]
async fn both_ways_in_have_the_same_limits_and_the_same_settings() {
    let hub = || Hub::builder(Asked);
    let many = |count: usize| (0..count).map(|n| n.to_string()).collect::<Topics>();
    let long = |bytes: usize| Topics::from(["a".to_owned(), "t".repeat(bytes)]);
    let rows = [
        (hub(), many(128), ASKED),
        (hub(), many(129), "129 topics, the limit is 128"),
        (hub().max_topics(2), many(2), ASKED),
        (hub().max_topics(2), many(3), "3 topics, the limit is 2"),
        (hub().max_topics(1_000), many(1_000), ASKED),
        (hub(), long(1_024), ASKED),
        (hub(), long(1_025), "1025 bytes, the limit is 1024"),
        (hub().topic_bytes(8), long(8), ASKED),
        (hub().topic_bytes(8), long(9), "9 bytes, the limit is 8"),
        (hub().topic_bytes(60_000), long(60_000), ASKED),
    ];
    for (builder, topics, expected) in rows {
        for answer in answers(builder, Message::data("x"), topics).await {
            assert!(answer.contains(expected), "{answer}");
        }
    }
}

#[tokio::test]
async fn a_message_beyond_a_limit_does_not_reach_the_provider() {
    let hub = || Hub::builder(Asked);
    let text = |bytes: usize| "x".repeat(bytes);
    let id = |bytes: usize| EventId::try_from(text(bytes)).unwrap();
    let event = |bytes: usize| EventType::try_from(text(bytes)).unwrap();
    let rows = [
        (hub(), Message::data(text(1 << 20)), ASKED),
        (
            hub(),
            Message::data(text((1 << 20) + 1)),
            "the limit is 1048576",
        ),
        (
            hub(),
            Message::data("").comment(text((1 << 20) + 1)),
            "the limit is 1048576",
        ),
        (
            hub().message_bytes(8),
            Message::data(text(9)),
            "the limit is 8",
        ),
        (hub(), Message::data("").id(id(1_024)), ASKED),
        (
            hub(),
            Message::data("").id(id(1_025)),
            "the id has 1025 bytes",
        ),
        (hub(), Message::data("").event(event(1_024)), ASKED),
        (
            hub(),
            Message::data("").event(event(1_025)),
            "the type has 1025 bytes",
        ),
        (hub(), Message::default(), "the message is empty"),
    ];
    for (builder, message, expected) in rows {
        let [answer, _] = answers(builder, message, Topics::default()).await;
        assert!(answer.contains(expected), "{answer}");
    }
}
