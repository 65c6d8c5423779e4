//! axum: `sse-axum`; its own `Sse` over tokio's `broadcast` with its keep-alive, which is what
//! people write today; and an endless body.

use std::{convert::Infallible, sync::Arc};

use anyhow::Result;
use axum::{
    Router,
    body::Body,
    extract::State,
    http::header::CONTENT_TYPE,
    response::{
        self, IntoResponse,
        sse::{Event, KeepAlive},
    },
    routing::get,
};
use futures_util::{Stream, StreamExt as _};
use hyper::server::conn::http1;
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use sse_axum::{Hub, LastEventId, Sse, SseError, Subscription};

use super::fanouts::{Broadcast, OurHub, endless};
use crate::server::{Control, Settings, listen_tokio, stop_signal};

pub(super) async fn ours(settings: &Settings, control: Control) -> Result<()> {
    let fanout = control.spawn(OurHub::new(settings)?);
    let stop = fanout.hub.shutdown_on(stop_signal());
    let server = axum::serve(listen_tokio()?, our_app(fanout.hub));
    Ok(server.with_graceful_shutdown(stop).await?)
}

/// Serves the same app on bare hyper, without HTTP/2 and upgrades: the cost of the adapter itself,
/// without `axum::serve`.
pub(super) async fn ours_on_hyper(settings: &Settings, control: Control) -> Result<()> {
    let fanout = control.spawn(OurHub::new(settings)?);
    let app = our_app(fanout.hub);
    let listener = listen_tokio()?;
    loop {
        let (socket, _) = listener.accept().await?;
        let service = TowerToHyperService::new(app.clone());
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(socket), service));
    }
}

fn our_app(hub: Hub) -> Router {
    let route = Router::new().route("/events", get(our_events));
    route.with_state(hub)
}

async fn our_events(State(hub): State<Hub>, last: LastEventId) -> Result<Sse, SseError> {
    let subscription = Subscription::to(()).resume_from(last.0);
    Ok(Sse(hub.subscribe(subscription).await?))
}

pub(super) async fn own(control: Control) -> Result<()> {
    let fanout = control.spawn(Broadcast::of_texts());
    let route = Router::new().route("/events", get(own_events));
    let server = axum::serve(listen_tokio()?, route.with_state(fanout));
    Ok(server.with_graceful_shutdown(stop_signal()).await?)
}

async fn own_events(
    State(texts): State<Broadcast<Arc<str>>>,
) -> response::Sse<impl Stream<Item = Result<Event, Infallible>> + use<>> {
    let event = |text| Ok(Event::default().data(text));
    response::Sse::new(texts.subscribe().map(event)).keep_alive(KeepAlive::default())
}

pub(super) async fn alone() -> Result<()> {
    let app = Router::new().route("/events", get(endless_body));
    Ok(axum::serve(listen_tokio()?, app).await?)
}

async fn endless_body() -> impl IntoResponse {
    let body = Body::from_stream(endless().map(Ok::<_, Infallible>));
    ([(CONTENT_TYPE, "text/event-stream")], body)
}
