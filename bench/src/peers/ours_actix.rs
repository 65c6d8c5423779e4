//! sse-actix, as its example app uses it.

use actix_web::{App, HttpServer, web, web::ThinData};
use anyhow::Result;
use sse_actix::{Hub, LastEventId, Rejection, Sse, Subscription};

use super::{
    Peer,
    ours::{self, OurHub},
};
use crate::server::{Server, Settings, listen, stop_signal};

/// The peer.
#[derive(Debug)]
pub(crate) struct OursActix;

impl Peer for OursActix {
    type Fanout = OurHub;

    fn block_on(future: impl Future<Output = Result<()>>) -> Result<()> {
        actix_web::rt::System::new().block_on(future)
    }

    fn fanout(settings: &Settings) -> Result<OurHub> {
        ours::hub(settings)
    }

    async fn serve(Server { fanout, control }: Server<OurHub>) -> Result<()> {
        let hub = fanout.hub.clone();
        let stop = hub.shutdown_on(stop_signal());
        HttpServer::new(move || {
            // Here, on the thread of the one worker, and not on that of `main`.
            control.spawn(fanout.clone());
            App::new()
                .app_data(ThinData(hub.clone()))
                .route("/events", web::get().to(events))
        })
        .workers(1)
        .shutdown_signal(stop)
        .shutdown_timeout(1)
        .h1_allow_half_closed(false)
        .listen(listen()?)?
        .run()
        .await?;
        Ok(())
    }
}

async fn events(
    ThinData(hub): ThinData<Hub>,
    LastEventId(last): LastEventId,
) -> Result<Sse, Rejection> {
    let subscription = Subscription::to(()).resume_from(last);
    Ok(Sse::new(hub.subscribe(subscription).await?))
}
