//! `Last-Event-ID` in all its forms.

use std::sync::Arc;

use async_trait::async_trait;
use sse_core::{
    EventId, Hub, Joe, Message, OnGap, PublishError, SubscribeError, Subscription, Topics,
    provider::{Provider, ProviderClosed, Published, Subscriber},
};

use super::{Body, Server, Subject};
use crate::OwnedEvent;

const HEADER: &str = "Last-Event-ID";

async fn resume(server: &Server, path: &str, id: impl AsRef<[u8]>) -> Body {
    let response = server
        .client()
        .await
        .get_with(path, &[(HEADER, id.as_ref())])
        .await;
    assert_eq!(response.status, 200);
    response.body
}

/// Shows that the stream begins with the in-band message and goes on live.
async fn is_told_of_a_gap(server: &Server, mut body: Body) {
    let OwnedEvent { id, event, data } = body.event().await;
    assert_eq!(
        (event.as_str(), data.as_str()),
        ("gap", r#"{"reason":"unknown"}"#)
    );
    assert_ne!(id, "", "it has a place to come back to");
    server.publish("live", ()).await;
    assert_eq!(body.event().await.data, "live");
}

pub async fn history_joins_live_over_the_wire(subject: Subject) {
    const MESSAGES: usize = 2_000;
    let server = Arc::new(Server::start(subject));
    let mut ids = vec![server.publish(0, ()).await];
    let mut clients = Vec::new();
    for n in 1..MESSAGES {
        if n % 100 == 0 {
            let (server, seen) = (Arc::clone(&server), n / 2);
            let id = ids[seen].clone();
            clients.push(tokio::spawn(async move {
                let mut body = resume(&server, "/events", id).await;
                let data = body.data(MESSAGES - seen - 1).await;
                assert!(
                    data.iter()
                        .zip(seen + 1..)
                        .all(|(data, n)| *data == n.to_string()),
                    "{data:?}"
                );
            }));
        }
        ids.push(server.publish(n, ()).await);
        if n % 10 == 0 {
            tokio::task::yield_now().await;
        }
    }
    for client in clients {
        client.await.expect("no gap and no double");
    }
}

pub async fn an_up_to_date_client_is_not_sent_anything_again(subject: Subject) {
    let server = Server::start(subject);
    for n in 0..5 {
        let seen = server.publish(n, ()).await;
        let mut body = resume(&server, "/events", seen).await;
        server.publish("live", ()).await;
        assert_eq!(body.event().await.data, "live");
    }
}

pub async fn an_unknown_last_event_id_is_told_in_band(subject: Subject) {
    let server = Server::start(subject);
    server.publish("before", ()).await;
    is_told_of_a_gap(&server, resume(&server, "/events", "of-another-life").await).await;
}

pub async fn an_empty_last_event_id_is_none(subject: Subject) {
    let server = Server::start(subject);
    server.publish("before", ()).await;
    for path in ["/events", "/events?lastEventId="] {
        let mut body = resume(&server, path, "").await;
        server.publish("live", ()).await;
        assert_eq!(
            body.event().await.data,
            "live",
            "neither a gap nor a replay"
        );
    }
}

pub async fn a_non_utf8_last_event_id_is_a_gap_if_it_is_seen(subject: Subject) {
    let server = Server::start(subject);
    let mut body = resume(&server, "/events", b"\xff\xfe\xfd").await;
    if subject.sees_non_utf8_headers {
        is_told_of_a_gap(&server, body).await;
    } else {
        server.publish("live", ()).await;
        assert_eq!(body.event().await.data, "live");
    }
}

pub async fn an_over_long_last_event_id_is_a_gap(subject: Subject) {
    let server = Server::start(subject);
    let id = "x".repeat(EventId::MAX_BYTES + 1);
    is_told_of_a_gap(&server, resume(&server, "/events", &id).await).await;
    is_told_of_a_gap(
        &server,
        resume(&server, &format!("/events?lastEventId={id}"), "").await,
    )
    .await;
}

pub async fn a_last_event_id_is_utf8_bytes(subject: Subject) {
    let server = Server::start(subject);
    let id: EventId = "gr\u{fc}n \u{1f600}".try_into().expect("a valid id");
    server
        .hub
        .publish(Message::data("1").id(id.clone()), ())
        .await
        .expect("published");
    server.publish("2", ()).await;
    assert_eq!(
        resume(&server, "/events", id.as_str())
            .await
            .event()
            .await
            .data,
        "2"
    );
    let path = "/events?lastEventId=gr%C3%BCn+%F0%9F%98%80";
    assert_eq!(resume(&server, path, "").await.event().await.data, "2");
}

pub async fn the_query_resumes_and_the_header_wins(subject: Subject) {
    let server = Server::start(subject);
    let first = server.publish("1", ()).await;
    let second = server.publish("2", ()).await;
    server.publish("3", ()).await;
    for name in ["lastEventId", "lastEventID", "last_event_id"] {
        let path = format!("/events?{name}={first}");
        let mut body = server.client().await.get(&path).await.body;
        assert_eq!(body.data(2).await, ["2", "3"], "{name}");
        let mut body = resume(&server, &path, &second).await;
        assert_eq!(
            body.event().await.data,
            "3",
            "the header is newer than the page's URL"
        );
    }
}

/// Refuses every client that has missed something.
#[derive(Debug)]
struct RefusesGaps(Arc<Joe>);

#[async_trait]
impl Provider for RefusesGaps {
    async fn publish(&self, message: Message, topics: Topics) -> Result<Published, PublishError> {
        self.0.publish(message, topics).await
    }

    async fn subscribe(&self, subscription: Subscription) -> Result<Subscriber, SubscribeError> {
        self.0.subscribe(subscription.on_gap(OnGap::Refuse)).await
    }

    async fn shutdown(&self) -> Result<(), ProviderClosed> {
        self.0.shutdown().await
    }
}

pub async fn a_gap_that_is_refused_is_survived_by_a_browser_or_412(subject: Subject) {
    let joe = Arc::new(Server::joe().build());
    let hub = Hub::new(RefusesGaps(Arc::clone(&joe)));
    let server = Server::with_hub(subject, joe, hub);
    let seen = server.publish("1", ()).await;
    server.publish("2", ()).await;
    let id = ("Last-Event-ID", b"of-another-life".as_slice());
    let refused = server.client().await.get_with("/events", &[id]).await;
    let told = refused.is_survived().await;
    assert!(
        told.ends_with("data: {\"reason\":\"unknown\"}\n\n"),
        "{told:?}"
    );
    let refused = server.client().await.get_with("/status", &[id]).await;
    assert_eq!(refused.status, 412);
    let is_stream = |(_, value): &(String, String)| value.starts_with("text/event-stream");
    assert!(
        !refused.headers.iter().any(is_stream),
        "{:?}",
        refused.headers
    );
    let text = refused.body.rest().await;
    assert!(text.contains("not known"), "it says why: {text}");
    server.subscribers(0).await;
    let mut body = resume(&server, "/events", seen).await;
    assert_eq!(body.event().await.data, "2");
}

/// It comes back with the only id that it has: that of the place where its stream began.
pub async fn a_client_cut_off_before_its_first_message_misses_nothing(subject: Subject) {
    let server = Server::start(subject);
    server.publish("long ago", "news").await;
    for path in ["/events?topic=news", "/news"] {
        let mut body = server.client().await.get(path).await.body;
        let place = body.opening().await;
        body.reset();
        server.publish("missed", "news").await;
        let mut body = resume(&server, path, place).await;
        assert_eq!(body.event().await.data, "missed");
        server.publish("live", "news").await;
        assert_eq!(body.event().await.data, "live");
    }
}
