//! Rocket's `EventStream` over tokio's `broadcast`, as in Rocket's chat example; its heartbeat is on by default.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Result, anyhow};
use rocket::{
    Build, Rocket, Shutdown, State,
    config::{Config, LogLevel},
    fairing::AdHoc,
    get,
    response::stream::{Event, EventStream},
    routes,
    tokio::select,
};
use tokio::sync::broadcast::error::RecvError;

use super::{Peer, broadcast::Texts};
use crate::server::{Server, Settings, announce};

/// The peer.
#[derive(Debug)]
pub(crate) struct RocketSse;

impl Peer for RocketSse {
    type Fanout = Texts;

    fn fanout(_: &Settings) -> Result<Texts> {
        Ok(Texts::new())
    }

    async fn serve(Server { fanout, control }: Server<Texts>) -> Result<()> {
        control.spawn(fanout.clone());
        let app = announcing(rocket::custom(config()))
            .manage(fanout)
            .mount("/", routes![events]);
        launch(app).await
    }
}

/// Rocket's defaults, on a port of its own and without logs.
pub(super) fn config() -> Config {
    Config {
        address: Ipv4Addr::LOCALHOST.into(),
        port: 0,
        workers: 1,
        log_level: LogLevel::Off,
        ..Config::release_default()
    }
}

/// Announces the address once Rocket, which binds itself, knows it.
pub(super) fn announcing(rocket: Rocket<Build>) -> Rocket<Build> {
    rocket.attach(AdHoc::on_liftoff("address", |rocket| {
        Box::pin(async {
            let Config { address, port, .. } = *rocket.config();
            announce(SocketAddr::new(address, port));
        })
    }))
}

/// Serves until SIGTERM, which Rocket waits for by itself.
pub(super) async fn launch(rocket: Rocket<Build>) -> Result<()> {
    let end = rocket.launch().await;
    end.map(drop).map_err(|error| anyhow!("{}", error.kind()))
}

#[get("/events")]
fn events(texts: &State<Texts>, mut end: Shutdown) -> EventStream![] {
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
