//! Status, headers and bytes.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use sse_core::{
    Hub, Joe, Message, PublishError, SubscribeError, Subscription, Topics,
    provider::{Provider, ProviderClosed, Published, Subscriber},
    replay::StoreError,
};

use super::{Server, Subject, client::Piece};

/// The headers of an event stream, written out here so that a slip in the one place that defines
/// them is seen.
pub(super) const HEADERS: [(&str, &str); 3] = [
    ("content-type", "text/event-stream"),
    ("cache-control", "no-cache, no-transform"),
    ("x-accel-buffering", "no"),
];

pub async fn status_and_headers_are_exact(subject: Subject) {
    let server = Server::start(subject);
    for path in ["/events", "/news", "/stream", "/channel"] {
        let response = server.client().await.get(path).await;
        assert_eq!(response.status, 200, "{path}");
        for (name, value) in HEADERS {
            assert_eq!(response.header(name), Some(value), "{path}");
        }
        assert_eq!(response.header("connection"), None, "HTTP/2 forbids it");
        assert_eq!(response.header("content-length"), None, "a stream has none");
        assert_eq!(
            response.header("transfer-encoding"),
            Some("chunked"),
            "{path}"
        );
        let encoding = response.header("content-encoding");
        assert!(
            matches!(encoding, None | Some("identity")),
            "{path}: {encoding:?}"
        );
    }
}

pub async fn head_and_a_first_byte_come_before_any_message(subject: Subject) {
    let server = Server::start(subject);
    let mut response = server.client().await.get("/events").await;
    response.body.opening().await;
}

pub async fn bytes_are_exact(subject: Subject) {
    let server = Server::with(subject, Joe::builder(), None);
    let mut body = server.client().await.get("/events").await.body;
    body.opening().await;
    let id = "gr\u{fc}n".try_into().expect("a valid id");
    let event = "price".try_into().expect("a valid type");
    let rows = [
        (Message::data("hello"), "data: hello\n\n"),
        (Message::data(""), "data: \n\n"),
        (Message::data(" leading"), "data:  leading\n\n"),
        (
            Message::data("a\nb\rc\r\nd\n"),
            "data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n",
        ),
        (
            Message::data("\u{1f600} \u{2028} \u{feff} \0"),
            "data: \u{1f600} \u{2028} \u{feff} \0\n\n",
        ),
        (
            Message::data("x")
                .id(id)
                .event(event)
                .retry(Duration::from_millis(1500))
                .comment("c"),
            ": c\nid: gr\u{fc}n\nevent: price\nretry: 1500\ndata: x\n\n",
        ),
    ];
    for (message, expected) in rows {
        server.hub.publish(message, ()).await.expect("published");
        assert_eq!(body.text().await, expected);
    }
}

pub async fn a_large_message_arrives_whole(subject: Subject) {
    let server = Server::start(subject);
    let mut body = server.client().await.get("/events").await.body;
    let data = "0123456789abcdef\u{fc}\n".repeat(50_000);
    server.publish(&data, ()).await;
    assert!(
        body.event().await.data == data,
        "900 KB arrive as they were sent"
    );
}

pub async fn messages_arrive_one_by_one(subject: Subject) {
    let server = Server::start(subject);
    let mut body = server.client().await.get("/events").await.body;
    for n in 0..50 {
        // Nothing holds a message back until there is more.
        server.publish(n, ()).await;
        assert_eq!(body.event().await.data, n.to_string());
    }
}

pub async fn messages_arrive_one_by_one_under_a_compressor(subject: Subject) {
    let server = Server::start(subject);
    let accept: (&str, &[u8]) = ("accept-encoding", b"gzip, deflate, br, zstd");
    let mut response = server
        .client()
        .await
        .get_with("/compressed", &[accept])
        .await;
    let encoding = response.header("content-encoding");
    assert!(
        matches!(encoding, None | Some("identity")),
        "it leaves event streams alone: {encoding:?}"
    );
    for n in 0..20 {
        server.publish(n, ()).await;
        assert_eq!(response.body.event().await.data, n.to_string());
    }
}

pub async fn head_is_answered_with_headers_only(subject: Subject) {
    let server = Server::start(subject);
    let mut response = server
        .client()
        .await
        .send("HEAD", "/events", "HTTP/1.1", &[])
        .await;
    assert_eq!(response.status, 200);
    for (name, value) in HEADERS {
        assert_eq!(response.header(name), Some(value));
    }
    assert_eq!(response.body.piece().await, Piece::End);
    server.subscribers(0).await;
}

pub async fn http_1_0_gets_a_plain_body(subject: Subject) {
    let server = Server::start(subject);
    let response = server
        .client()
        .await
        .send("GET", "/events", "HTTP/1.0", &[])
        .await;
    assert_eq!(response.status, 200);
    assert_eq!(
        response.header("transfer-encoding"),
        None,
        "HTTP/1.0 knows no chunks"
    );
    let mut body = response.body;
    server.publish("hello", ()).await;
    assert_eq!(body.event().await.data, "hello");
    server.hub.shutdown().await.expect("the first shutdown");
    assert_eq!(body.rest().await, "");
}

pub async fn too_many_topics_are_a_bad_request(subject: Subject) {
    let joe = Arc::new(Server::joe().build());
    let hub = Hub::builder(Arc::clone(&joe)).max_topics(2).build();
    let server = Server::with_hub(subject, joe, hub);
    let allowed = server
        .client()
        .await
        .get("/events?topic=a&topic=b&topic=a")
        .await;
    assert_eq!(allowed.status, 200);
    let refused = server
        .client()
        .await
        .get("/events?topic=a&topic=b&topic=c")
        .await;
    assert_eq!(refused.status, 400);
    assert_eq!(
        refused.header("retry-after"),
        None,
        "asking again does not help"
    );
    assert!(
        refused
            .body
            .rest()
            .await
            .contains("3 topics, the limit is 2")
    );
}

pub async fn a_long_topic_is_a_bad_request(subject: Subject) {
    let server = Server::start(subject);
    let longest = "t".repeat(1024);
    for (topics, status) in [
        (format!("topic={longest}"), 200),
        (format!("topic={longest}x"), 400),
        (format!("topic=a&topic={longest}x&topic=z"), 400),
    ] {
        let response = server
            .client()
            .await
            .get(&format!("/events?{topics}"))
            .await;
        assert_eq!(response.status, status);
        if status == 400 {
            let text = response.body.rest().await;
            assert!(text.contains("1025 bytes, the limit is 1024"), "{text}");
        }
    }
}

pub async fn a_full_house_is_survived_by_a_browser_or_503(subject: Subject) {
    let server = Server::with(
        subject,
        Joe::builder().max_subscribers(1),
        Duration::from_millis(50),
    );
    let first = server.client().await.get("/events").await;
    assert_eq!(first.status, 200);
    for path in ["/events", "/news"] {
        let refused = server.client().await.get(path).await;
        assert!(refused.is_survived().await.contains("places are taken"));
    }
    let refused = server.client().await.get("/status").await;
    refused.is_503_with_retry_after();
    drop(first);
    server.subscribers(0).await;
    let mut next = server.client().await.get("/events").await;
    next.body.opening().await;
}

/// Some frameworks notice that a client has left only when they write, and the keep-alive is far
/// away.
pub async fn a_reload_in_a_full_house_finds_its_own_place(subject: Subject) {
    let joe = Server::joe().max_subscribers(2);
    let server = Server::with(subject, joe, Duration::from_secs(600));
    let mut other = server.client().await.get("/events").await;
    other.body.opening().await;
    let mut page = server.client().await.get("/events").await;
    page.body.opening().await;
    drop(page);
    let mut again = server.client().await.get("/events").await;
    again.body.opening().await;
    server.publish("still there", ()).await;
    assert_eq!(other.body.event().await.data, "still there");
    assert_eq!(again.body.event().await.data, "still there");
}

pub async fn a_client_that_does_not_read_loses_its_place(subject: Subject) {
    const CLIENTS: usize = 3;
    let joe = Arc::new(Server::joe().max_subscribers(CLIENTS).build());
    let hub = Hub::builder(Arc::clone(&joe))
        .keep_alive(Duration::from_millis(100))
        .send_timeout(Duration::from_millis(500))
        .build();
    let server = Server::with_hub(subject, joe, hub);
    let mut stuck = Vec::new();
    for _ in 0..CLIENTS {
        stuck.push(server.client().await.get("/events?topic=big").await);
    }
    server.subscribers(CLIENTS).await;
    // More than all buffers between the two hold.
    let big = "x".repeat(256 << 10);
    for _ in 0..100 {
        server.publish(&big, "big").await;
    }
    server.subscribers(0).await;
    let mut next = server.client().await.get("/events").await;
    next.body.opening().await;
    drop(stuck);
}

pub async fn a_handler_publishes_and_subscribes(subject: Subject) {
    let server = Server::start(subject);
    let mut body = server.client().await.get("/greeted").await.body;
    assert_eq!(body.event().await.data, "hello");
    server.publish("live", ()).await;
    assert_eq!(body.event().await.data, "live");
}

/// Publishes nothing, for this reason.
#[derive(Debug)]
struct Refuses {
    joe: Arc<Joe>,
    reason: fn() -> PublishError,
}

#[async_trait]
impl Provider for Refuses {
    async fn publish(&self, _: Message, _: Topics) -> Result<Published, PublishError> {
        Err((self.reason)())
    }

    async fn subscribe(&self, subscription: Subscription) -> Result<Subscriber, SubscribeError> {
        self.joe.subscribe(subscription).await
    }

    async fn shutdown(&self) -> Result<(), ProviderClosed> {
        self.joe.shutdown().await
    }
}

pub async fn a_refused_publish_is_answered_with_its_status_and_a_text_for_everyone(
    subject: Subject,
) {
    type Row = (fn() -> PublishError, u16, &'static str);
    let rows: [Row; 7] = [
        (|| PublishError::Empty, 400, "give it data"),
        (
            || StoreError::TopicTooLong { size: 9, limit: 8 }.into(),
            400,
            "the limit is 8",
        ),
        (
            || PublishError::TopicTooLong { size: 9, limit: 8 },
            400,
            "the limit is 8",
        ),
        (
            || PublishError::TooLarge { size: 9, limit: 8 },
            413,
            "the limit is 8",
        ),
        (|| ProviderClosed.into(), 503, "connect again"),
        (
            || StoreError::new("a secret path").into(),
            500,
            "could not be published",
        ),
        (
            || PublishError::Provider("a secret password".into()),
            500,
            "could not be published",
        ),
    ];
    for (reason, status, text) in rows {
        let joe = Arc::new(Server::joe().build());
        let hub = Hub::new(Refuses {
            joe: Arc::clone(&joe),
            reason,
        });
        let server = Server::with_hub(subject, joe, hub);
        let refused = server.client().await.get("/greeted").await;
        if status == 503 {
            refused.is_503_with_retry_after();
        } else {
            assert_eq!(refused.header("retry-after"), None);
        }
        assert_eq!(refused.status, status);
        let body = refused.body.rest().await;
        assert!(body.contains(text) && !body.contains("secret"), "{body}");
    }
}

pub async fn middleware_gives_a_handwritten_stream_its_headers(subject: Subject) {
    let server = Server::start(subject);
    let response = server.client().await.get("/own").await;
    assert_eq!(response.status, 200);
    for (name, value) in HEADERS {
        assert_eq!(response.header(name), Some(value));
    }
    assert_eq!(response.body.rest().await, "data: own\n\n");
}

pub async fn middleware_keeps_what_the_handler_set(subject: Subject) {
    let server = Server::start(subject);
    let response = server.client().await.get("/own/cached").await;
    assert_eq!(response.header("cache-control"), Some("no-store"));
    assert_eq!(response.header("content-type"), Some("text/event-stream"));
    assert_eq!(response.header("x-accel-buffering"), Some("no"));
}

pub async fn middleware_leaves_other_responses_alone(subject: Subject) {
    let server = Server::start(subject);
    let refused = server.client().await.get("/own/refused").await;
    assert_eq!(refused.status, 403);
    for (name, _) in HEADERS {
        assert_eq!(refused.header(name), None, "not a stream");
    }
    assert_eq!(refused.body.rest().await, "no");
    let response = server.client().await.get("/plain").await;
    let media_type = response.header("content-type").expect("a media type");
    assert!(media_type.starts_with("text/plain"), "{media_type}");
    assert_eq!(response.header("cache-control"), None);
    assert_eq!(response.header("x-accel-buffering"), None);
    assert_eq!(response.body.rest().await, "plain");
}
