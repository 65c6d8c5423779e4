//! Topics, many clients, streams without a hub.

use std::{sync::atomic::Ordering, time::Duration};

use super::{PRODUCER_CASES, PRODUCERS, Server, Subject};
use crate::in_time;

pub async fn topics_are_honoured(subject: Subject) {
    let server = Server::start(subject);
    let mut news = server.client().await.get("/events?topic=news").await.body;
    let mut default = server.client().await.get("/events").await.body;
    let mut encoded = server
        .client()
        .await
        .get("/events?topic=a%26b%20%C3%BC+c")
        .await
        .body;
    server.publish("n", "news").await;
    server.publish("d", ()).await;
    server.publish("e", "a&b \u{fc} c").await;
    assert_eq!(news.event().await.data, "n");
    assert_eq!(default.event().await.data, "d");
    assert_eq!(encoded.event().await.data, "e");
}

pub async fn several_topics_deliver_once(subject: Subject) {
    let server = Server::start(subject);
    let mut body = server
        .client()
        .await
        .get("/events?topic=a&topic=b&topic=")
        .await
        .body;
    server.publish("both", ["a", "b"]).await;
    server.publish("b", "b").await;
    server.publish("default", ()).await;
    assert_eq!(body.data(3).await, ["both", "b", "default"]);
}

pub async fn the_ready_made_handler_streams_its_topics(subject: Subject) {
    let server = Server::start(subject);
    let seen = server.publish("1", "news").await;
    server.publish("2", "news").await;
    // The handler's topics hold, whatever the query says.
    let mut body = server.client().await.get("/news?topic=secret").await.body;
    server.publish("s", "secret").await;
    server.publish("3", "news").await;
    assert_eq!(body.event().await.data, "3");
    let mut resumed = server
        .client()
        .await
        .get_with("/news", &[("last-event-id", seen.as_bytes())])
        .await
        .body;
    assert_eq!(resumed.data(2).await, ["2", "3"]);
}

pub async fn a_publish_right_after_the_head_is_received(subject: Subject) {
    let server = Server::start(subject);
    for n in 0..50 {
        let mut response = server.client().await.get("/events").await;
        server.publish(n, ()).await;
        assert_eq!(response.body.event().await.data, n.to_string());
    }
}

pub async fn one_client_that_never_reads_delays_nobody(subject: Subject) {
    let server = Server::start(subject);
    let _deaf = server.client().await.get("/events").await;
    let mut body = server.client().await.get("/events").await.body;
    // 100 MB: far more than the sockets of the deaf one hold.
    let data = "x".repeat(100_000);
    for _ in 0..1_000 {
        server.publish(&data, ()).await;
        assert_eq!(body.event().await.data.len(), data.len());
    }
}

pub async fn five_hundred_clients_get_everything_in_order(subject: Subject) {
    const CLIENTS: usize = 500;
    const MESSAGES: usize = 20;
    let server = Server::start(subject);
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let mut body = server.client().await.get("/events").await.body;
        clients.push(tokio::spawn(async move { body.data(MESSAGES).await }));
    }
    for n in 0..MESSAGES {
        server.publish(n, ()).await;
    }
    let expected: Vec<_> = (0..MESSAGES).map(|n| n.to_string()).collect();
    for client in clients {
        assert_eq!(client.await.expect("the client does not panic"), expected);
    }
}

pub async fn a_stream_of_its_own_ends_with_its_messages(subject: Subject) {
    let server = Server::start(subject);
    let body = server.client().await.get("/stream").await.body;
    assert_eq!(body.rest().await, ":\ndata: 0\n\ndata: 1\n\ndata: 2\n\n");
}

pub async fn a_channel_delivers_and_learns_that_the_client_left(subject: Subject) {
    let _alone = PRODUCER_CASES.lock().await;
    let server = Server::start(subject);
    let mut body = server.client().await.get("/channel").await.body;
    assert_eq!(body.data(3).await, ["0", "1", "2"]);
    producers(1).await;
    drop(body);
    producers(0).await;
}

pub async fn a_channel_ends_when_the_hub_is_closed(subject: Subject) {
    let _alone = PRODUCER_CASES.lock().await;
    let server = Server::start(subject);
    let mut body = server.client().await.get("/channel").await.body;
    assert_eq!(body.data(3).await, ["0", "1", "2"]);
    producers(1).await;
    server.hub.shutdown().await.expect("the first shutdown");
    is_silence(&body.rest().await);
    producers(0).await;
}

/// Nothing but keep-alives.
pub(super) fn is_silence(text: &str) {
    assert!(text.lines().all(|line| line == ":"), "{text:?}");
}

async fn producers(count: usize) {
    let reached = async {
        while PRODUCERS.load(Ordering::SeqCst) != count {
            // pace: looks again until the deadline outside
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    in_time(&format!("{count} producers"), reached).await;
}
