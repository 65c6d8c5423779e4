//! HTTP/2, where a stream can end without its connection.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use h2::{Reason, SendStream};
use http::Response;
use sse_client::{EventSource, RenewedClient, reqwest::Client};
use sse_conformance::in_time;
use tokio::{
    net::TcpListener,
    sync::{
        Notify,
        mpsc::{UnboundedReceiver, unbounded_channel},
    },
};

use super::log::{follow, next_event, quick};

/// The ways in which the server ends a stream.
#[derive(Clone, Copy, Debug)]
enum End {
    Properly,
    Reset,
    /// Drops the connection.
    Cut,
}

/// A request as the server saw it.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    connection: usize,
    last_event_id: Option<String>,
}

#[tokio::test]
async fn a_stream_that_is_reset_or_cut_is_resumed() {
    let arrived = Arc::new(Notify::new());
    let (address, mut seen) = serve([End::Reset, End::Cut, End::Properly], &arrived).await;
    let client = Client::builder().http2_prior_knowledge().build().unwrap();
    let mut source = EventSource::get(format!("http://{address}/"))
        .transport(client)
        .backoff(quick().max_retries(2));
    source.handle().on_any(move |_| arrived.notify_one());
    let log = follow(&mut source).await;
    let opened = log.iter().filter(|line| *line == "open").count();
    let events: Vec<_> = log.iter().filter(|line| line.starts_with('[')).collect();
    assert_eq!(opened, 3, "{log:?}");
    assert_eq!(
        events,
        ["[0] message: a", "[1] message: a", "[2] message: a"]
    );
    let lost = log.iter().filter(|line| line.starts_with("lost")).count();
    assert_eq!(lost, 2, "{log:?}");
    for (connection, last_event_id) in [(0, None), (0, Some("0")), (1, Some("1"))] {
        let last_event_id = last_event_id.map(str::to_owned);
        let expected = Seen {
            connection,
            last_event_id,
        };
        assert_eq!(seen.recv().await, Some(expected), "{log:?}");
    }
}

/// Answers each request with an event and half of another one, and ends the stream once that has
/// arrived. Requests after the last end are not answered.
async fn serve(
    ends: impl IntoIterator<Item = End>,
    arrived: &Arc<Notify>,
) -> (SocketAddr, UnboundedReceiver<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, seen) = unbounded_channel();
    let ends: Vec<End> = ends.into_iter().collect();
    let arrived = Arc::clone(arrived);
    tokio::spawn(async move {
        let mut ends = ends.into_iter().enumerate();
        for connection in 0.. {
            let (socket, _) = listener.accept().await.unwrap();
            let mut requests = h2::server::handshake(socket).await.unwrap();
            while let Some(request) = requests.accept().await {
                let Ok((request, mut respond)) = request else {
                    break;
                };
                let Some((number, end)) = ends.next() else {
                    return;
                };
                let id = request.headers().get("last-event-id");
                let last_event_id = id.map(|id| id.to_str().unwrap().to_owned());
                sender
                    .send(Seen {
                        connection,
                        last_event_id,
                    })
                    .unwrap();
                let head = Response::builder().header("content-type", "text/event-stream");
                let mut body = respond
                    .send_response(head.body(()).unwrap(), false)
                    .unwrap();
                send(&mut body, format!("id: {number}\ndata: a\n\nid: x\nda"));
                tokio::select! {
                    () = arrived.notified() => {}
                    // No request is expected now, but this drives the connection.
                    _ = requests.accept() => return,
                }
                match end {
                    End::Properly => body.send_data(Bytes::new(), true).unwrap(),
                    End::Reset => body.send_reset(Reason::INTERNAL_ERROR),
                    End::Cut => break,
                }
            }
        }
    });
    (address, seen)
}

fn send(body: &mut SendStream<Bytes>, text: String) {
    body.send_data(text.into(), false).unwrap();
}

/// Answers on the first connection with an event and then as a peer that has vanished: it neither
/// reads nor writes, and does not close it either. Other connections are served.
async fn serve_half_dead() -> (SocketAddr, UnboundedReceiver<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, connections) = unbounded_channel();
    tokio::spawn(async move {
        for connection in 0.. {
            let (socket, _) = listener.accept().await.unwrap();
            sender.send(connection).unwrap();
            tokio::spawn(async move {
                let mut requests = h2::server::handshake(socket).await.unwrap();
                let (_, mut respond) = requests.accept().await.unwrap().unwrap();
                let head = Response::builder().header("content-type", "text/event-stream");
                let head = head.body(()).unwrap();
                let mut body = respond.send_response(head, false).unwrap();
                send(&mut body, format!("id: {connection}\ndata: a\n\n"));
                let sent = std::future::poll_fn(|cx| requests.poll_closed(cx));
                if connection == 0 {
                    // Long enough to write the event, in vain to wait for more.
                    let _ = tokio::time::timeout(Duration::from_millis(100), sent).await;
                    return std::future::pending().await;
                }
                let _ = sent.await;
            });
        }
    });
    (address, connections)
}

#[tokio::test]
async fn a_dead_connection_is_not_used_again() {
    let (address, mut connections) = serve_half_dead().await;
    let client = RenewedClient::new(|| Client::builder().http2_prior_knowledge());
    let mut source = EventSource::get(format!("http://{address}/"))
        .transport(client)
        .idle_timeout(Duration::from_millis(500))
        .backoff(quick());
    assert_eq!(next_event(&mut source).await, "[0] message: a");
    assert_eq!(next_event(&mut source).await, "[1] message: a");
    for number in [0, 1] {
        let connection = in_time("a connection", connections.recv()).await;
        assert_eq!(connection, Some(number));
    }
}

#[tokio::test]
async fn pings_find_a_dead_connection() {
    let (address, _connections) = serve_half_dead().await;
    let client = Client::builder()
        .http2_prior_knowledge()
        .http2_keep_alive_interval(Duration::from_millis(200))
        .http2_keep_alive_timeout(Duration::from_millis(200));
    let mut source = EventSource::get(format!("http://{address}/"))
        .transport(client.build().unwrap())
        .backoff(quick());
    assert_eq!(next_event(&mut source).await, "[0] message: a");
    assert_eq!(next_event(&mut source).await, "[1] message: a");
}
