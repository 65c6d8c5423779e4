//! HTTP/2, where a stream can end without its connection.

use std::{net::SocketAddr, sync::Arc};

use bytes::Bytes;
use h2::{Reason, SendStream};
use http::Response;
use sse_client::{EventSource, reqwest::Client};
use tokio::{
    net::TcpListener,
    sync::{
        Notify,
        mpsc::{UnboundedReceiver, unbounded_channel},
    },
};

use super::log::{follow, quick};

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
