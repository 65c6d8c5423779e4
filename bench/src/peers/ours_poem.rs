//! sse-poem, as its example app uses it.

use anyhow::Result;
use poem::{EndpointExt as _, Route, get, handler, listener::TcpAcceptor, web::Data};
use sse_poem::{Hub, LastEventId, Rejection, Sse, Subscription};

use super::{
    Peer,
    ours::{self, OurHub},
};
use crate::server::{Server, Settings, listen, stop_signal};

/// The peer.
#[derive(Debug)]
pub(crate) struct OursPoem;

impl Peer for OursPoem {
    type Fanout = OurHub;

    fn fanout(settings: &Settings) -> Result<OurHub> {
        ours::hub(settings)
    }

    async fn serve(Server { fanout, control }: Server<OurHub>) -> Result<()> {
        let hub = fanout.hub.clone();
        control.spawn(fanout);
        let stop = hub.shutdown_on(stop_signal());
        let app = Route::new().at("/events", get(events)).data(hub);
        poem::Server::new_with_acceptor(TcpAcceptor::from_std(listen()?)?)
            .run_with_graceful_shutdown(app, stop, None)
            .await?;
        Ok(())
    }
}

#[handler]
async fn events(Data(hub): Data<&Hub>, LastEventId(last): LastEventId) -> Result<Sse, Rejection> {
    let subscription = Subscription::to(()).resume_from(last);
    Ok(Sse::new(hub.subscribe(subscription).await?))
}
