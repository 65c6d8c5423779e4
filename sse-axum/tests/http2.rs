//! The same stream over HTTP/2.

use std::{sync::Arc, time::Duration};

use axum::{Router, routing::get};
use bytes::Bytes;
use h2::{RecvStream, client::SendRequest};
use http::{Request, Response};
use sse_axum::{Hub, Joe, Message, events};
use sse_conformance::in_time;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
};

struct Server {
    joe: Arc<Joe>,
    hub: Hub,
    client: SendRequest<Bytes>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// A server and a client with one connection to it, without TLS.
async fn connect() -> Server {
    let joe = Arc::new(Joe::new());
    let hub = Hub::builder(Arc::clone(&joe))
        .keep_alive(Duration::from_millis(100))
        .build();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let app = Router::new().route("/events", get(events(hub.clone(), "news")));
    let serving = axum::serve(listener, app).with_graceful_shutdown(hub.shutdown_on(stopped));
    let task = tokio::spawn(async move { serving.await.unwrap() });
    let stream = TcpStream::connect(address).await.unwrap();
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    Server {
        joe,
        hub,
        client,
        stop,
        task,
    }
}

async fn open(server: &Server) -> Response<RecvStream> {
    let mut client = server.client.clone().ready().await.unwrap();
    let request = Request::get("http://localhost/events").body(()).unwrap();
    let (response, _) = client.send_request(request, true).unwrap();
    in_time("the head", response).await.unwrap()
}

/// The next piece, or `None` at the end of the stream, which comes as an empty last frame.
async fn piece(body: &mut RecvStream) -> Option<Bytes> {
    let bytes = in_time("the next piece", body.data()).await?.unwrap();
    body.flow_control().release_capacity(bytes.len()).unwrap();
    (!bytes.is_empty() || !body.is_end_stream()).then_some(bytes)
}

/// The next piece that is not a keep-alive.
async fn message(body: &mut RecvStream) -> Option<Bytes> {
    loop {
        match piece(body).await {
            Some(bytes) if bytes == ":\n" || bytes.starts_with(b"id: ") => {}
            other => return other,
        }
    }
}

#[tokio::test]
async fn the_head_has_the_same_headers_and_the_first_byte_comes_at_once() {
    let server = connect().await;
    let mut response = open(&server).await;
    assert_eq!(response.status(), 200);
    let headers = response.headers();
    assert_eq!(headers["content-type"], "text/event-stream");
    assert_eq!(headers["cache-control"], "no-cache, no-transform");
    assert_eq!(headers["x-accel-buffering"], "no");
    assert!(!headers.contains_key("connection"), "HTTP/2 forbids it");
    assert!(
        piece(response.body_mut())
            .await
            .unwrap()
            .starts_with(b"id: ")
    );
}

#[tokio::test]
async fn many_streams_share_a_connection_and_each_gets_every_message() {
    let server = connect().await;
    let mut streams = Vec::new();
    for _ in 0..20 {
        streams.push(open(&server).await.into_body());
    }
    for n in 0..20 {
        server
            .hub
            .publish(Message::data(n.to_string()), "news")
            .await
            .unwrap();
        for stream in &mut streams {
            assert_eq!(message(stream).await.unwrap(), format!("data: {n}\n\n"));
        }
    }
}

#[tokio::test]
async fn a_reset_stream_is_unsubscribed_and_the_others_go_on() {
    let server = connect().await;
    let leaving = open(&server).await;
    let mut staying = open(&server).await.into_body();
    assert_eq!(server.joe.subscribers(), 2);
    drop(leaving);
    let unsubscribed = async {
        while server.joe.subscribers() > 1 {
            // pace: looks again until the deadline outside
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    in_time("one subscriber", unsubscribed).await;
    server
        .hub
        .publish(Message::data("on"), "news")
        .await
        .unwrap();
    assert_eq!(message(&mut staying).await.unwrap(), "data: on\n\n");
}

#[tokio::test]
async fn graceful_shutdown_finishes_with_open_streams_that_end_cleanly() {
    let server = connect().await;
    let mut streams = vec![
        open(&server).await.into_body(),
        open(&server).await.into_body(),
    ];
    server
        .hub
        .publish(Message::data("last"), "news")
        .await
        .unwrap();
    server.stop.send(()).unwrap();
    for stream in &mut streams {
        assert_eq!(message(stream).await.unwrap(), "data: last\n\n");
        assert_eq!(message(stream).await, None, "END_STREAM and not a reset");
    }
    in_time("the end of the server", server.task).await.unwrap();
}
