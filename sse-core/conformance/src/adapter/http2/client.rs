//! A bare HTTP/2 client without TLS: it sees how a stream ends, and need not read each of them.

use std::{collections::VecDeque, net::SocketAddr};

use bytes::Bytes;
use h2::{
    Reason, RecvStream,
    client::{Builder, SendRequest},
};
use http::{HeaderMap, Request};
use sse_core::wire::Decoder;
use tokio::{net::TcpStream, task::JoinHandle};

use crate::{OwnedEvent, decode, in_time};

/// The window of a stream, which is all that one gets that is not read: the standard's default.
const STREAM_WINDOW: u32 = 65_535;

/// The window of the streams together: larger, as in browsers, so that one leaves room for others.
const CONNECTION_WINDOW: u32 = 1 << 20;

/// A connection, which by itself answers pings and ends after a `GOAWAY`.
#[derive(Debug)]
pub(super) struct Connection {
    requests: SendRequest<Bytes>,
    driver: JoinHandle<()>,
}

/// A response as it arrives. Dropping it resets the stream.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    body: RecvStream,
    decoder: Decoder,
    events: VecDeque<OwnedEvent>,
}

/// The end of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// With `END_STREAM`.
    Properly,
    /// With `RST_STREAM`.
    Reset(Reason),
    /// With its connection.
    CutOff,
}

impl Connection {
    pub(super) async fn open(address: SocketAddr) -> Self {
        let connected = async {
            let socket = TcpStream::connect(address).await.expect("it accepts");
            Builder::new()
                .initial_window_size(STREAM_WINDOW)
                .initial_connection_window_size(CONNECTION_WINDOW)
                .handshake(socket)
                .await
                .expect("it speaks HTTP/2")
        };
        let (requests, connection) = in_time("an HTTP/2 connection", connected).await;
        let driver = tokio::spawn(async move {
            // A connection that is lost is what some cases wait for; its streams say so.
            let _ = connection.await;
        });
        Self { requests, driver }
    }

    pub(super) async fn get(&self, path: &str) -> Stream {
        let request = Request::get(format!("http://localhost{path}"));
        let request = request.body(()).expect("a request");
        let answered = async {
            let mut requests = self.requests.clone().ready().await?;
            let (response, _) = requests.send_request(request, true)?;
            response.await
        };
        let response = in_time("the head of the response", answered).await;
        let (head, body) = response.expect("it answers").into_parts();
        Stream {
            status: head.status.as_u16(),
            headers: head.headers,
            body,
            decoder: Decoder::new(),
            events: VecDeque::new(),
        }
    }

    /// Closes the socket without a word, streams and all.
    pub(super) fn cut(self) {
        self.driver.abort();
    }
}

impl Stream {
    /// The next event; comments are passed over.
    pub(super) async fn event(&mut self) -> OwnedEvent {
        let event = async {
            loop {
                if let Some(event) = self.events.pop_front() {
                    return event;
                }
                if let Err(end) = self.read().await {
                    panic!("an event comes, but the stream ended: {end:?}");
                }
            }
        };
        in_time("the next event", event).await
    }

    /// The data of the next events.
    pub(super) async fn data(&mut self, count: usize) -> Vec<String> {
        let mut data = Vec::new();
        while data.len() < count {
            data.push(self.event().await.data);
        }
        data
    }

    /// Waits for the end, before which no event may come.
    pub(super) async fn end(mut self) -> End {
        let ended = async {
            loop {
                if let Err(end) = self.read().await {
                    return end;
                }
            }
        };
        let end = in_time("the end of the stream", ended).await;
        assert_eq!(self.events, [], "no event before the end");
        end
    }

    /// Reads one frame and lets the server send as much again.
    async fn read(&mut self) -> Result<(), End> {
        match self.body.data().await {
            Some(Ok(bytes)) => {
                let window = self.body.flow_control();
                window.release_capacity(bytes.len()).expect("it was taken");
                self.events.extend(decode(&mut self.decoder, &bytes));
                Ok(())
            }
            Some(Err(error)) => Err(match error.reason() {
                Some(reason) if error.is_reset() => End::Reset(reason),
                _ => End::CutOff,
            }),
            None => Err(End::Properly),
        }
    }
}
