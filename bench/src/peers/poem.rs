//! poem: `sse-poem`; its own `SSE` over tokio's `broadcast` with a keep-alive of 15 seconds; and an
//! endless body.

use std::{io, sync::Arc, time::Duration};

use anyhow::Result;
use futures_util::StreamExt as _;
use poem::{
    Body, EndpointExt as _, Response, Route, Server, get, handler,
    listener::TcpAcceptor,
    web::{
        Data,
        sse::{Event, SSE},
    },
};
use sse_poem::{Hub, LastEventId, Sse, SseError, Subscription};

use super::fanouts::{Broadcast, OurHub, endless};
use crate::server::{Control, Settings, listen, stop_signal};

pub(super) async fn ours(settings: &Settings, control: Control) -> Result<()> {
    let fanout = control.spawn(OurHub::new(settings)?);
    let stop = fanout.hub.shutdown_on(stop_signal());
    let app = Route::new().at("/events", get(our_events)).data(fanout.hub);
    let server = Server::new_with_acceptor(TcpAcceptor::from_std(listen()?)?);
    Ok(server.run_with_graceful_shutdown(app, stop, None).await?)
}

#[handler]
async fn our_events(Data(hub): Data<&Hub>, last: LastEventId) -> Result<Sse, SseError> {
    let subscription = Subscription::to(()).resume_from(last.0);
    Ok(Sse(hub.subscribe(subscription).await?))
}

pub(super) async fn own(control: Control) -> Result<()> {
    let fanout = control.spawn(Broadcast::of_texts());
    let app = Route::new().at("/events", get(own_events)).data(fanout);
    let server = Server::new_with_acceptor(TcpAcceptor::from_std(listen()?)?);
    let stop = stop_signal();
    Ok(server.run_with_graceful_shutdown(app, stop, None).await?)
}

#[handler]
fn own_events(Data(texts): Data<&Broadcast<Arc<str>>>) -> SSE {
    let events = texts.subscribe().map(|text| Event::message(&*text));
    SSE::new(events).keep_alive(Duration::from_secs(15))
}

pub(super) async fn alone() -> Result<()> {
    let app = Route::new().at("/events", get(endless_body));
    let server = Server::new_with_acceptor(TcpAcceptor::from_std(listen()?)?);
    Ok(server.run(app).await?)
}

#[handler]
fn endless_body() -> Response {
    let response = Response::builder().content_type("text/event-stream");
    response.body(Body::from_bytes_stream(endless().map(Ok::<_, io::Error>)))
}
