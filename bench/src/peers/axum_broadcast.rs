//! axum's `Sse` over tokio's `broadcast`, with its keep-alive: what people write today.

use std::convert::Infallible;

use anyhow::Result;
use axum::{
    Router,
    extract::State,
    response::{
        Sse,
        sse::{Event, KeepAlive},
    },
    routing::get,
};
use futures_util::{Stream, StreamExt as _};

use super::{Peer, broadcast::Texts};
use crate::server::{Server, Settings, listen_tokio, stop_signal};

/// The peer.
#[derive(Debug)]
pub(crate) struct AxumBroadcast;

impl Peer for AxumBroadcast {
    type Fanout = Texts;

    fn fanout(_: &Settings) -> Result<Texts> {
        Ok(Texts::new())
    }

    async fn serve(Server { fanout, control }: Server<Texts>) -> Result<()> {
        control.spawn(fanout.clone());
        let app = Router::new()
            .route("/events", get(events))
            .with_state(fanout);
        axum::serve(listen_tokio()?, app)
            .with_graceful_shutdown(stop_signal())
            .await?;
        Ok(())
    }
}

async fn events(
    State(texts): State<Texts>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>> + use<>> {
    let events = texts
        .subscribe()
        .map(|text| Ok(Event::default().data(text)));
    Sse::new(events).keep_alive(KeepAlive::default())
}
