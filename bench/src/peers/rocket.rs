//! Rocket: `sse-rocket`; its own `EventStream` over tokio's `broadcast`, as in Rocket's chat
//! example, whose heartbeat is on by default; and an endless body.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use anyhow::{Result, anyhow};
use bytes::Bytes;
use futures_util::Stream;
use rocket::{
    Build, Rocket, Shutdown, State,
    config::{Config, LogLevel},
    fairing::AdHoc,
    get,
    http::ContentType,
    response::stream::{ByteStream, Event, EventStream},
    routes,
    tokio::select,
};
use sse_rocket::{Hub, HubFairing, LastEventId, Sse, SseError, Subscription};
use tokio::sync::broadcast::error::RecvError;

use super::fanouts::{Broadcast, OurHub, endless};
use crate::server::{Control, Settings, say};

pub(super) async fn ours(settings: &Settings, control: Control) -> Result<()> {
    let fanout = control.spawn(OurHub::new(settings)?);
    let mut config = config();
    // Rocket takes all of it to wait for open connections.
    config.shutdown.grace = 1;
    let app = rocket::custom(config).attach(HubFairing(fanout.hub));
    launch(app.mount("/", routes![our_events])).await
}

#[get("/events")]
async fn our_events(hub: &State<Hub>, last: LastEventId) -> Result<Sse, SseError> {
    let subscription = Subscription::to(()).resume_from(last.0);
    Ok(Sse(hub.subscribe(subscription).await?))
}

pub(super) async fn own(control: Control) -> Result<()> {
    let fanout = control.spawn(Broadcast::of_texts());
    let app = rocket::custom(config()).manage(fanout);
    launch(app.mount("/", routes![own_events])).await
}

#[get("/events")]
fn own_events(texts: &State<Broadcast<Arc<str>>>, mut end: Shutdown) -> EventStream![] {
    let mut receiver = texts.receiver();
    EventStream! {
        loop {
            let text = select! {
                text = receiver.recv() => match text {
                    Ok(text) => text,
                    Err(RecvError::Closed) => break,
                    Err(RecvError::Lagged(_)) => continue,
                },
                () = &mut end => break,
            };
            yield Event::data(text.to_string());
        }
    }
}

pub(super) async fn alone() -> Result<()> {
    launch(rocket::custom(config()).mount("/", routes![endless_body])).await
}

#[get("/events")]
fn endless_body() -> (ContentType, ByteStream<impl Stream<Item = Bytes>>) {
    (ContentType::EventStream, ByteStream(endless()))
}

/// Returns Rocket's defaults, with a free port and without logs.
fn config() -> Config {
    Config {
        address: Ipv4Addr::LOCALHOST.into(),
        port: 0,
        workers: 1,
        log_level: LogLevel::Off,
        ..Config::release_default()
    }
}

/// Serves until SIGTERM, which Rocket handles itself; announces the address once Rocket, which
/// binds the socket itself, knows it.
async fn launch(rocket: Rocket<Build>) -> Result<()> {
    let announcing = AdHoc::on_liftoff("address", |rocket| {
        Box::pin(async {
            let Config { address, port, .. } = *rocket.config();
            say(&SocketAddr::new(address, port));
        })
    });
    let end = rocket.attach(announcing).launch().await;
    end.map(drop).map_err(|error| anyhow!("{}", error.kind()))
}
