//! No framework: hyper 1, with one shared `Bytes` per message over tokio's `broadcast` and a frame
//! for each, or with an endless body; and tokio's sockets without an HTTP library, the floor.

use std::{convert::Infallible, io};

use anyhow::Result;
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use http_body_util::StreamBody;
use hyper::{
    Response,
    body::Frame,
    header::{CACHE_CONTROL, CONTENT_TYPE},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::broadcast::{
        Receiver,
        error::{RecvError, TryRecvError},
    },
};

use super::fanouts::{Broadcast, endless};
use crate::server::{Control, listen_tokio};

pub(super) async fn hyper(control: Control) -> Result<()> {
    let fanout = control.spawn(Broadcast::of_events());
    accept(move || fanout.subscribe()).await
}

pub(super) async fn hyper_alone() -> Result<()> {
    accept(endless).await
}

/// Answers every request on every connection with a new body.
async fn accept<S>(body: impl Fn() -> S + Clone + Send + 'static) -> Result<()>
where
    S: Stream<Item = Bytes> + Send + 'static,
{
    let listener = listen_tokio()?;
    loop {
        let (socket, _) = listener.accept().await?;
        let body = body.clone();
        tokio::spawn(async move {
            let service = service_fn(move |_| {
                let frames = body().map(|bytes| Ok::<_, Infallible>(Frame::data(bytes)));
                let response = Response::builder()
                    .header(CONTENT_TYPE, "text/event-stream")
                    .header(CACHE_CONTROL, "no-cache")
                    .body(StreamBody::new(frames));
                std::future::ready(response)
            });
            let connection = http1::Builder::new().serve_connection(TokioIo::new(socket), service);
            // An error means that the client has left.
            let _ = connection.await;
        });
    }
}

/// The maximum number of messages in a write.
const MOST: usize = 64;

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
    cache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n";

pub(super) async fn sockets(control: Control) -> Result<()> {
    let fanout = control.spawn(Broadcast::of_chunks());
    let listener = listen_tokio()?;
    loop {
        let (socket, _) = listener.accept().await?;
        let fanout = fanout.clone();
        tokio::spawn(async move {
            // An error means that the client has left.
            let _ = stream(socket, fanout).await;
        });
    }
}

async fn stream(mut socket: TcpStream, fanout: Broadcast<Bytes>) -> io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        if socket.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    drop(request);
    let mut messages = fanout.receiver();
    socket.write_all(HEAD).await?;
    let mut pending = Vec::new();
    while take(&mut messages, &mut pending).await {
        socket.write_all(&pending).await?;
        pending.clear();
    }
    Ok(())
}

/// Waits for a message and takes all that have come by then; `false` if there will be none.
async fn take(messages: &mut Receiver<Bytes>, pending: &mut Vec<u8>) -> bool {
    while pending.is_empty() {
        match messages.recv().await {
            Ok(message) => pending.extend_from_slice(&message),
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return false,
        }
    }
    for _ in 1..MOST {
        match messages.try_recv() {
            Ok(message) => pending.extend_from_slice(&message),
            Err(TryRecvError::Lagged(_)) => {}
            Err(_) => break,
        }
    }
    true
}
