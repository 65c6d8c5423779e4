//! Bare hyper 1: one shared `Bytes` per message over tokio's `broadcast`, a frame for each.

use std::convert::Infallible;

use anyhow::Result;
use bytes::Bytes;
use futures_util::StreamExt as _;
use http_body_util::StreamBody;
use hyper::{
    Response,
    body::{Body, Frame},
    header::{CACHE_CONTROL, CONTENT_TYPE},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;

use super::{Peer, broadcast::Encoded};
use crate::server::{Server, Settings, listen_tokio};

/// The peer.
#[derive(Debug)]
pub(crate) struct HyperBroadcast;

impl Peer for HyperBroadcast {
    type Fanout = Encoded;

    fn fanout(_: &Settings) -> Result<Encoded> {
        Ok(Encoded::new(|data| format!("data: {data}\n\n").into()))
    }

    async fn serve(Server { fanout, control }: Server<Encoded>) -> Result<()> {
        control.spawn(fanout.clone());
        accept(move || {
            let frames = fanout.subscribe().map(Frame::data);
            StreamBody::new(frames.map(Ok::<_, Infallible>))
        })
        .await
    }
}

/// Answers every request on every connection with a body of its own.
pub(super) async fn accept<B>(body: impl Fn() -> B + Clone + Send + 'static) -> Result<()>
where
    B: Body<Data = Bytes, Error = Infallible> + Send + 'static,
{
    let listener = listen_tokio()?;
    loop {
        let (socket, _) = listener.accept().await?;
        let body = body.clone();
        tokio::spawn(async move {
            let service = service_fn(move |_| std::future::ready(respond(body())));
            let connection = http1::Builder::new().serve_connection(TokioIo::new(socket), service);
            // An error means that the client has left.
            let _ = connection.await;
        });
    }
}

fn respond<B>(body: B) -> Result<Response<B>, hyper::http::Error> {
    Response::builder()
        .header(CONTENT_TYPE, "text/event-stream")
        .header(CACHE_CONTROL, "no-cache")
        .body(body)
}
