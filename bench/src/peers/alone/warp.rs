//! warp and an endless body.

use std::convert::Infallible;

use anyhow::Result;
use futures_util::StreamExt as _;
use warp::{Filter as _, reply};

use super::{Nobody, chunks};
use crate::{
    peers::Peer,
    server::{Server, Settings, listen_tokio},
};

/// The peer.
#[derive(Debug)]
pub(crate) struct WarpAlone;

impl Peer for WarpAlone {
    type Fanout = Nobody;

    fn fanout(_: &Settings) -> Result<Nobody> {
        Ok(Nobody)
    }

    async fn serve(Server { fanout, control }: Server<Nobody>) -> Result<()> {
        control.spawn(fanout);
        let app = warp::path!("events").and(warp::get()).map(|| {
            let body = reply::stream(chunks().map(Ok::<_, Infallible>));
            reply::with_header(body, "content-type", "text/event-stream")
        });
        warp::serve(app).incoming(listen_tokio()?).run().await;
        Ok(())
    }
}
