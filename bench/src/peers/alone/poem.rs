//! poem and an endless body.

use std::io;

use anyhow::Result;
use futures_util::StreamExt as _;
use poem::{Body, Response, Route, get, handler, listener::TcpAcceptor};

use super::{Nobody, chunks};
use crate::{
    peers::Peer,
    server::{Server, Settings, listen},
};

/// The peer.
#[derive(Debug)]
pub(crate) struct PoemAlone;

impl Peer for PoemAlone {
    type Fanout = Nobody;

    fn fanout(_: &Settings) -> Result<Nobody> {
        Ok(Nobody)
    }

    async fn serve(Server { fanout, control }: Server<Nobody>) -> Result<()> {
        control.spawn(fanout);
        let app = Route::new().at("/events", get(events));
        poem::Server::new_with_acceptor(TcpAcceptor::from_std(listen()?)?)
            .run(app)
            .await?;
        Ok(())
    }
}

#[handler]
fn events() -> Response {
    Response::builder()
        .content_type("text/event-stream")
        .body(Body::from_bytes_stream(chunks().map(Ok::<_, io::Error>)))
}
