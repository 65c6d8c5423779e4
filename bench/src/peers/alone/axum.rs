//! axum and an endless body.

use std::convert::Infallible;

use anyhow::Result;
use axum::{Router, body::Body, http::header::CONTENT_TYPE, response::IntoResponse, routing::get};
use futures_util::StreamExt as _;

use super::{Nobody, chunks};
use crate::{
    peers::Peer,
    server::{Server, Settings, listen_tokio},
};

/// The peer.
#[derive(Debug)]
pub(crate) struct AxumAlone;

impl Peer for AxumAlone {
    type Fanout = Nobody;

    fn fanout(_: &Settings) -> Result<Nobody> {
        Ok(Nobody)
    }

    async fn serve(Server { fanout, control }: Server<Nobody>) -> Result<()> {
        control.spawn(fanout);
        let app = Router::new().route("/events", get(events));
        Ok(axum::serve(listen_tokio()?, app).await?)
    }
}

async fn events() -> impl IntoResponse {
    let body = Body::from_stream(chunks().map(Ok::<_, Infallible>));
    ([(CONTENT_TYPE, "text/event-stream")], body)
}
