//! Real clients against the example app of every framework.
//!
//! The first test of a framework tries all clients at the same time on one server, in the steps of
//! [`run`]. Each test then checks the verdict on its client. The drivers in `e2e/clients` give all
//! clients the same input and output.

mod client;
mod driver;
mod events;
mod matrix;
mod opening;
mod run;

use std::sync::OnceLock;

use anyhow::{Context as _, Result, anyhow};
use e2e::App;

use crate::run::Verdicts;

/// Expands to one test for each client and framework.
macro_rules! clients {
    ($($client:ident),* $(,)?) => {
        #[cfg(test)]
        const NAMES: &[&str] = &[$(stringify!($client)),*];

        // By client first, so that tests that run at the same time are of different frameworks.
        $(
            mod $client {
                apps!(stringify!($client), axum Axum, actix Actix, warp Warp, rocket Rocket, poem Poem);
            }
        )*
    };
}

macro_rules! apps {
    ($client:expr, $($name:ident $app:ident),*) => {
        $(
            #[test]
            fn $name() -> anyhow::Result<()> {
                crate::check(e2e::App::$app, $client)
            }
        )*
    };
}

clients!(
    chromium,
    curl,
    event_source_polyfill,
    eventsource,
    fetch_event_source,
    httpx_sse,
    reconnecting_eventsource,
    sse_client,
    sseclient_py,
    undici,
);

#[test]
fn every_client_has_its_tests() {
    let clients = client::CLIENTS.iter().map(|client| client.name);
    assert!(clients.eq(NAMES.iter().copied()));
}

/// Fails if this client failed on this framework.
fn check(app: App, client: &str) -> Result<()> {
    static RUNS: [OnceLock<Result<Verdicts>>; App::ALL.len()] =
        [const { OnceLock::new() }; App::ALL.len()];
    let verdicts = RUNS[app as usize].get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let verdicts = runtime.block_on(run::run(app))?;
        matrix::write(app, &verdicts)?;
        Ok(verdicts)
    });
    let verdicts = verdicts
        .as_ref()
        .map_err(|error| anyhow!("no client was tried on {app}: {error:#}"))?;
    let verdict = verdicts
        .get(client)
        .context("a client that is not in the table")?;
    verdict
        .as_ref()
        .map_err(|failure| anyhow!("{failure}"))
        .copied()
}
