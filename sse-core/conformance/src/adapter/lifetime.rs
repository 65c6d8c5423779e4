//! Keep-alive, leaving clients, shutdown.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sse_core::Hub;

use super::{PRODUCER_CASES, Server, Subject, client::Piece, delivery::is_silence};

pub async fn keep_alive_is_on_by_default(subject: Subject) {
    let joe = Arc::new(Server::joe().build());
    let hub = Hub::new(Arc::clone(&joe));
    let server = Server::with_hub(subject, joe, hub);
    let mut body = server.client().await.get("/events").await.body;
    body.opening().await;
    // 15 s of silence; the deadline of the read is longer.
    assert_eq!(body.text().await, ":\n");
}

pub async fn keep_alive_is_a_comment_line_without_a_blank_line(subject: Subject) {
    let server = Server::with_keep_alive(subject, Duration::from_millis(50));
    let mut body = server.client().await.get("/events").await.body;
    body.opening().await;
    for _ in 0..5 {
        assert_eq!(body.text().await, ":\n");
    }
    server.publish("hello", ()).await;
    assert_eq!(body.event().await.data, "hello");
    assert_eq!(body.text().await, ":\n", "and again after an event");
}

pub async fn keep_alive_is_reset_by_traffic(subject: Subject) {
    const KEEP_ALIVE: Duration = Duration::from_secs(2);
    let server = Server::with_keep_alive(subject, KEEP_ALIVE);
    let mut body = server.client().await.get("/events").await.body;
    body.opening().await;
    let started = Instant::now();
    // Longer than the keep-alive, and never silent for as long.
    while started.elapsed() < KEEP_ALIVE * 3 / 2 {
        server.publish("traffic", ()).await;
        assert!(body.text().await.ends_with("data: traffic\n\n"));
        assert_eq!(
            body.piece_within(KEEP_ALIVE / 10).await,
            None,
            "no keep-alive in between"
        );
    }
    assert_eq!(body.text().await, ":\n", "it comes once there is silence");
}

pub async fn a_leaving_client_is_unsubscribed(subject: Subject) {
    let server = Server::with_keep_alive(subject, Duration::from_millis(100));
    let leaving = server.client().await.get("/events").await;
    let mut staying = server.client().await.get("/events").await;
    server.subscribers(2).await;
    drop(leaving);
    server.subscribers(1).await;
    server.publish("hello", ()).await;
    assert_eq!(staying.body.event().await.data, "hello");
}

/// Within two keep-alive periods: the write of the first is answered with a reset, that of the
/// second fails. Half of them close their sockets, half reset the connection.
pub async fn a_thousand_clients_that_vanish_are_unsubscribed(subject: Subject) {
    const CLIENTS: usize = 1_000;
    let server = Server::with_keep_alive(subject, Duration::from_millis(500));
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(server.client().await.get("/events").await);
    }
    server.subscribers(CLIENTS).await;
    for (n, client) in clients.into_iter().enumerate() {
        if n % 2 == 0 {
            drop(client);
        } else {
            client.body.reset();
        }
    }
    server.subscribers(0).await;
}

pub async fn shutdown_ends_bodies_cleanly_and_refuses_new_ones(subject: Subject) {
    let server = Server::start(subject);
    let mut idle = server.client().await.get("/events?topic=idle").await.body;
    let mut busy = server.client().await.get("/events").await.body;
    idle.opening().await;
    server.publish("last", ()).await;
    server.hub.shutdown().await.expect("the first shutdown");
    assert_eq!(
        busy.event().await.data,
        "last",
        "what was published is delivered"
    );
    assert_eq!(busy.piece().await, Piece::End);
    assert_eq!(idle.piece().await, Piece::End);
    for path in ["/events", "/news"] {
        let refused = server.client().await.get(path).await;
        assert!(refused.is_survived().await.contains("shut down"));
    }
    let refused = server.client().await.get("/status").await;
    refused.is_503_with_retry_after();
    assert!(refused.body.rest().await.contains("shut down"));
}

pub async fn shutdown_spreads_the_clients_that_will_reconnect(subject: Subject) {
    const CLIENTS: usize = 100;
    let joe = Arc::new(Server::joe().build());
    let hub = Hub::builder(Arc::clone(&joe))
        .spread_reconnects(Duration::from_secs(60))
        .build();
    let server = Server::with_hub(subject, joe, hub);
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let mut body = server.client().await.get("/events").await.body;
        let text = body.text().await;
        assert!(text.ends_with("\nretry: 3000\n\n"), "{text:?}");
        clients.push(body);
    }
    server.publish("last", ()).await;
    server.hub.shutdown().await.expect("the first shutdown");
    let mut quarters = [0; 4];
    for client in clients {
        let text = client.rest().await;
        let (last, retry) = text.rsplit_once("retry: ").expect("when to come back");
        assert!(last.ends_with("data: last\n\n"), "{last:?}");
        let millis = retry.strip_suffix("\n\n").expect("a whole event");
        let millis: usize = millis.parse().expect("milliseconds");
        assert!((3_000..=63_000).contains(&millis), "{millis}");
        quarters[(millis - 3_000) * 4 / 60_001] += 1;
    }
    assert!(quarters.iter().all(|count| *count > 0), "{quarters:?}");
}

pub async fn the_server_stops_gracefully_with_open_streams(subject: Subject) {
    let _alone = PRODUCER_CASES.lock().await;
    let server = Server::start(subject);
    let mut subscribed = Vec::new();
    let mut channels = Vec::new();
    for _ in 0..25 {
        for path in ["/events", "/events?topic=a", "/news"] {
            subscribed.push(server.client().await.get(path).await.body);
        }
        let mut channel = server.client().await.get("/channel").await.body;
        assert_eq!(channel.data(3).await, ["0", "1", "2"]);
        channels.push(channel);
    }
    server.publish("last", ["", "a", "news"]).await;
    server.stop().await;
    for mut body in subscribed {
        assert_eq!(body.event().await.data, "last");
        assert_eq!(body.piece().await, Piece::End);
    }
    for body in channels {
        is_silence(&body.rest().await);
    }
}
