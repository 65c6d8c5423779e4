//! sse-warp, as its example app uses it.

use anyhow::Result;
use sse_warp::{Hub, LastEventId, Rejection, Sse, Subscription, last_event_id};
use warp::Filter as _;

use super::{
    Peer,
    ours::{self, OurHub},
};
use crate::server::{Server, Settings, listen_tokio, stop_signal};

/// The peer.
#[derive(Debug)]
pub(crate) struct OursWarp;

impl Peer for OursWarp {
    type Fanout = OurHub;

    fn fanout(settings: &Settings) -> Result<OurHub> {
        ours::hub(settings)
    }

    async fn serve(Server { fanout, control }: Server<OurHub>) -> Result<()> {
        let hub = fanout.hub.clone();
        control.spawn(fanout);
        let stop = hub.shutdown_on(stop_signal());
        let app = warp::path!("events")
            .and(warp::get())
            .and(warp::any().map(move || hub.clone()))
            .and(last_event_id())
            .then(events);
        warp::serve(app)
            .incoming(listen_tokio()?)
            .graceful(stop)
            .run()
            .await;
        Ok(())
    }
}

async fn events(hub: Hub, LastEventId(last): LastEventId) -> Result<Sse, Rejection> {
    let subscription = Subscription::to(()).resume_from(last);
    Ok(Sse::new(hub.subscribe(subscription).await?))
}
