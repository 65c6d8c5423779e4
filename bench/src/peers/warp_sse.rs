//! warp's `sse` over tokio's `broadcast`, with its keep-alive.

use std::convert::Infallible;

use anyhow::Result;
use futures_util::StreamExt as _;
use warp::{Filter as _, sse::Event};

use super::{Peer, broadcast::Texts};
use crate::server::{Server, Settings, listen_tokio, stop_signal};

/// The peer.
#[derive(Debug)]
pub(crate) struct WarpSse;

impl Peer for WarpSse {
    type Fanout = Texts;

    fn fanout(_: &Settings) -> Result<Texts> {
        Ok(Texts::new())
    }

    async fn serve(Server { fanout, control }: Server<Texts>) -> Result<()> {
        control.spawn(fanout.clone());
        let app = warp::path!("events").and(warp::get()).map(move || {
            let events = fanout
                .subscribe()
                .map(|text| Ok::<_, Infallible>(Event::default().data(&*text)));
            warp::sse::reply(warp::sse::keep_alive().stream(events))
        });
        warp::serve(app)
            .incoming(listen_tokio()?)
            .graceful(stop_signal())
            .run()
            .await;
        Ok(())
    }
}
