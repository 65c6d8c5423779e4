//! poem's `SSE` over tokio's `broadcast`, with a keep-alive of 15 seconds.

use std::time::Duration;

use anyhow::Result;
use futures_util::StreamExt as _;
use poem::{
    EndpointExt as _, Route, get, handler,
    listener::TcpAcceptor,
    web::{
        Data,
        sse::{Event, SSE},
    },
};

use super::{Peer, broadcast::Texts};
use crate::server::{Server, Settings, listen, stop_signal};

/// The peer.
#[derive(Debug)]
pub(crate) struct PoemSse;

impl Peer for PoemSse {
    type Fanout = Texts;

    fn fanout(_: &Settings) -> Result<Texts> {
        Ok(Texts::new())
    }

    async fn serve(Server { fanout, control }: Server<Texts>) -> Result<()> {
        control.spawn(fanout.clone());
        let app = Route::new().at("/events", get(events)).data(fanout);
        poem::Server::new_with_acceptor(TcpAcceptor::from_std(listen()?)?)
            .run_with_graceful_shutdown(app, stop_signal(), None)
            .await?;
        Ok(())
    }
}

#[handler]
fn events(Data(texts): Data<&Texts>) -> SSE {
    let events = texts.subscribe().map(|text| Event::message(&*text));
    SSE::new(events).keep_alive(Duration::from_secs(15))
}
