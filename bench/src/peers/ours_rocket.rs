//! sse-rocket, as its example app uses it.

use anyhow::Result;
use rocket::{State, config::Config, get, routes};
use sse_rocket::{Hub, HubFairing, LastEventId, Rejection, Sse, Subscription};

use super::{
    Peer,
    ours::{self, OurHub},
    rocket_sse,
};
use crate::server::{Server, Settings};

/// The peer.
#[derive(Debug)]
pub(crate) struct OursRocket;

impl Peer for OursRocket {
    type Fanout = OurHub;

    fn fanout(settings: &Settings) -> Result<OurHub> {
        ours::hub(settings)
    }

    async fn serve(Server { fanout, control }: Server<OurHub>) -> Result<()> {
        let hub = fanout.hub.clone();
        control.spawn(fanout);
        let mut config: Config = rocket_sse::config();
        // Rocket waits all of it for connections that were open.
        config.shutdown.grace = 1;
        let app = rocket_sse::announcing(rocket::custom(config))
            .attach(HubFairing(hub))
            .mount("/", routes![events]);
        rocket_sse::launch(app).await
    }
}

#[get("/events")]
async fn events(hub: &State<Hub>, last: LastEventId) -> Result<Sse, Rejection> {
    let subscription = Subscription::to(()).resume_from(last.0);
    Ok(Sse::new(hub.subscribe(subscription).await?))
}
