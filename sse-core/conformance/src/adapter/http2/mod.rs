//! The same over HTTP/2, where many streams share a connection and each can end without it.

mod client;

use std::time::Duration;

use self::client::{Connection, End};
use super::{PANICS, Server, Subject, response::HEADERS};

/// A short one, as some frameworks notice a reset only when they write to the stream.
const KEEP_ALIVE: Duration = Duration::from_millis(100);

pub async fn over_http2_status_and_headers_are_the_same(subject: Subject) {
    let server = Server::start(subject);
    let connection = connect(&server).await;
    for path in ["/events", "/news", "/stream"] {
        let response = connection.get(path).await;
        assert_eq!(response.status, 200, "{path}");
        for (name, value) in HEADERS {
            assert_eq!(response.headers[name], value, "{path}");
        }
        for name in ["connection", "transfer-encoding", "content-length"] {
            let value = response.headers.get(name);
            assert_eq!(value, None, "{path}: a stream of HTTP/2 has no {name}");
        }
    }
}

pub async fn over_http2_a_stream_of_its_own_ends_with_its_messages(subject: Subject) {
    let server = Server::start(subject);
    let mut stream = connect(&server).await.get("/stream").await;
    assert_eq!(stream.data(3).await, ["0", "1", "2"]);
    assert_eq!(stream.end().await, End::Properly);
}

pub async fn over_http2_fifty_streams_share_a_connection(subject: Subject) {
    let server = Server::start(subject);
    let connection = connect(&server).await;
    let mut streams = Vec::new();
    for _ in 0..50 {
        streams.push(connection.get("/events").await);
    }
    for n in 0..20 {
        server.publish(n, ()).await;
        for stream in &mut streams {
            assert_eq!(stream.event().await.data, n.to_string());
        }
    }
}

pub async fn over_http2_a_thousand_messages_pass_a_small_window_in_order(subject: Subject) {
    const MESSAGES: usize = 1_000;
    let server = Server::start(subject);
    let mut stream = connect(&server).await.get("/events").await;
    // 1 MB in all, of which the window lets 64 KiB be on the way.
    let padding = "x".repeat(1_000);
    for n in 0..MESSAGES {
        server.publish(format!("{n} {padding}"), ()).await;
    }
    for n in 0..MESSAGES {
        assert_eq!(stream.event().await.data, format!("{n} {padding}"));
    }
}

pub async fn over_http2_a_stream_that_is_not_read_delays_no_other(subject: Subject) {
    let server = Server::start(subject);
    let connection = connect(&server).await;
    let _deaf = connection.get("/events").await;
    let mut stream = connection.get("/events").await;
    // 10 MB: far more than the window of the deaf one, and than that of the connection.
    let data = "x".repeat(100_000);
    for _ in 0..100 {
        server.publish(&data, ()).await;
        assert_eq!(stream.event().await.data.len(), data.len());
    }
}

pub async fn over_http2_a_stream_that_is_reset_is_unsubscribed_alone(subject: Subject) {
    let server = Server::with_keep_alive(subject, KEEP_ALIVE);
    let connection = connect(&server).await;
    let mut streams = Vec::new();
    for _ in 0..20 {
        streams.push(connection.get("/events").await);
    }
    server.subscribers(20).await;
    let leaving = streams.split_off(10);
    drop(leaving);
    server.subscribers(10).await;
    server.publish("on", ()).await;
    for stream in &mut streams {
        assert_eq!(stream.event().await.data, "on");
    }
}

pub async fn over_http2_a_lost_connection_unsubscribes_its_streams(subject: Subject) {
    let server = Server::with_keep_alive(subject, KEEP_ALIVE);
    let lost = connect(&server).await;
    let mut streams = Vec::new();
    for _ in 0..20 {
        streams.push(lost.get("/events").await);
    }
    let mut other = connect(&server).await.get("/events").await;
    server.subscribers(21).await;
    lost.cut();
    server.subscribers(1).await;
    server.publish("on", ()).await;
    assert_eq!(other.event().await.data, "on");
}

pub async fn over_http2_a_stream_whose_producer_panics_is_reset_alone(subject: Subject) {
    let _alone = PANICS.alone().await;
    let server = Server::start(subject);
    let connection = connect(&server).await;
    let mut other = connection.get("/events").await;
    let mut panicking = connection.get("/panic").await;
    assert_eq!(panicking.data(2).await, ["0", "1"]);
    PANICS.now();
    let end = panicking.end().await;
    if subject.cuts_off_panics {
        assert!(matches!(end, End::Reset(_)), "not its end: {end:?}");
    } else {
        assert_eq!(end, End::Properly, "as if it were whole");
    }
    server.publish("on", ()).await;
    assert_eq!(other.event().await.data, "on");
    let mut new = connection.get("/events").await;
    server.publish("new", ()).await;
    assert_eq!(new.event().await.data, "new");
}

pub async fn over_http2_the_server_stops_with_open_streams_and_an_idle_connection(
    subject: Subject,
) {
    let server = Server::start(subject);
    let _idle = connect(&server).await;
    let connection = connect(&server).await;
    let mut streams = Vec::new();
    for path in ["/events", "/events?topic=a", "/news"] {
        streams.push(connection.get(path).await);
    }
    server.publish("last", ["", "a", "news"]).await;
    server.stop().await;
    for mut stream in streams {
        assert_eq!(stream.event().await.data, "last");
        assert_eq!(stream.end().await, End::Properly);
    }
}

/// Connects to the server once it has started.
async fn connect(server: &Server) -> Connection {
    server.started().await;
    Connection::open(server.address).await
}
