//! sse-axum, as its example app uses it.

use anyhow::Result;
use axum::{Router, extract::State, routing::get};
use hyper::server::conn::http1;
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use sse_axum::{Hub, LastEventId, Rejection, Sse, Subscription};

use super::{
    Peer,
    ours::{self, OurHub},
};
use crate::server::{Server, Settings, listen_tokio, stop_signal};

/// The peer.
#[derive(Debug)]
pub(crate) struct OursAxum;

impl Peer for OursAxum {
    type Fanout = OurHub;

    fn fanout(settings: &Settings) -> Result<OurHub> {
        ours::hub(settings)
    }

    async fn serve(Server { fanout, control }: Server<OurHub>) -> Result<()> {
        let hub = fanout.hub.clone();
        control.spawn(fanout);
        let stop = hub.shutdown_on(stop_signal());
        axum::serve(listen_tokio()?, app(hub))
            .with_graceful_shutdown(stop)
            .await?;
        Ok(())
    }
}

/// The same app on bare hyper, as one does who needs neither HTTP/2 nor upgrades:
/// what the adapter costs by itself, without `axum::serve`.
#[derive(Debug)]
pub(crate) struct OursAxumOnHyper;

impl Peer for OursAxumOnHyper {
    type Fanout = OurHub;

    fn fanout(settings: &Settings) -> Result<OurHub> {
        ours::hub(settings)
    }

    async fn serve(Server { fanout, control }: Server<OurHub>) -> Result<()> {
        let app = app(fanout.hub.clone());
        control.spawn(fanout);
        let listener = listen_tokio()?;
        loop {
            let (socket, _) = listener.accept().await?;
            let service = TowerToHyperService::new(app.clone());
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(socket), service));
        }
    }
}

fn app(hub: Hub) -> Router {
    Router::new().route("/events", get(events)).with_state(hub)
}

async fn events(State(hub): State<Hub>, LastEventId(last): LastEventId) -> Result<Sse, Rejection> {
    let subscription = Subscription::to(()).resume_from(last);
    Ok(Sse::new(hub.subscribe(subscription).await?))
}
