//! warp: `sse-warp`; its own `sse` over tokio's `broadcast` with its keep-alive; and an endless
//! body.

use std::convert::Infallible;

use anyhow::Result;
use futures_util::StreamExt as _;
use sse_warp::{Hub, LastEventId, Sse, SseError, Subscription, last_event_id};
use warp::{Filter as _, reply, sse::Event};

use super::fanouts::{Broadcast, OurHub, endless};
use crate::server::{Control, Settings, listen_tokio, stop_signal};

pub(super) async fn ours(settings: &Settings, control: Control) -> Result<()> {
    let fanout = control.spawn(OurHub::new(settings)?);
    let hub = fanout.hub;
    let stop = hub.shutdown_on(stop_signal());
    let app = warp::path!("events")
        .and(warp::get())
        .and(warp::any().map(move || hub.clone()))
        .and(last_event_id())
        .then(our_events);
    let server = warp::serve(app).incoming(listen_tokio()?);
    server.graceful(stop).run().await;
    Ok(())
}

async fn our_events(hub: Hub, last: LastEventId) -> Result<Sse, SseError> {
    let subscription = Subscription::to(()).resume_from(last.0);
    Ok(Sse(hub.subscribe(subscription).await?))
}

pub(super) async fn own(control: Control) -> Result<()> {
    let fanout = control.spawn(Broadcast::of_texts());
    let app = warp::path!("events").and(warp::get()).map(move || {
        let events = fanout.subscribe();
        let events = events.map(|text| Ok::<_, Infallible>(Event::default().data(&*text)));
        warp::sse::reply(warp::sse::keep_alive().stream(events))
    });
    let server = warp::serve(app).incoming(listen_tokio()?);
    server.graceful(stop_signal()).run().await;
    Ok(())
}

pub(super) async fn alone() -> Result<()> {
    let app = warp::path!("events").and(warp::get()).map(|| {
        let body = reply::stream(endless().map(Ok::<_, Infallible>));
        reply::with_header(body, "content-type", "text/event-stream")
    });
    warp::serve(app).incoming(listen_tokio()?).run().await;
    Ok(())
}
