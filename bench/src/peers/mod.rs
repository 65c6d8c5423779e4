//! What is measured: these crates, and what people use instead. One file each.

mod actix_web_lab;
mod alone;
mod axum_broadcast;
mod broadcast;
mod hyper_broadcast;
mod ours;
mod ours_actix;
mod ours_axum;
mod ours_poem;
mod ours_rocket;
mod ours_warp;
mod plain_sockets;
mod poem_sse;
mod rocket_sse;
mod warp_sse;

use anyhow::{Context as _, Result};

use crate::server::{self, Fanout, Server, Settings};

/// One way to serve a stream to many clients.
///
/// Each is what its documentation shows, on one thread, with nothing left out that users would have.
pub(crate) trait Peer {
    /// Where messages go in.
    type Fanout: Fanout;

    /// Runs the server's thread; actix-web has a runtime of its own.
    fn block_on(future: impl Future<Output = Result<()>>) -> Result<()> {
        server::block_on(future)
    }

    /// Where messages go in, as the settings say.
    fn fanout(settings: &Settings) -> Result<Self::Fanout>;

    /// Announces its address and serves until SIGTERM, then as gracefully as its documentation shows.
    async fn serve(server: Server<Self::Fanout>) -> Result<()>;
}

/// A peer by its name.
struct Entry {
    name: &'static str,
    /// The peer that uses the same framework without these crates.
    own: Option<&'static str>,
    run: fn(&Settings) -> Result<()>,
}

const PEERS: &[Entry] = &[
    ours::<ours_axum::OursAxum>("ours-axum", "axum-broadcast"),
    other::<ours_axum::OursAxumOnHyper>("ours-axum-on-hyper"),
    ours::<ours_actix::OursActix>("ours-actix", "actix-web-lab"),
    ours::<ours_warp::OursWarp>("ours-warp", "warp-sse"),
    ours::<ours_rocket::OursRocket>("ours-rocket", "rocket-sse"),
    ours::<ours_poem::OursPoem>("ours-poem", "poem-sse"),
    other::<axum_broadcast::AxumBroadcast>("axum-broadcast"),
    other::<actix_web_lab::ActixWebLab>("actix-web-lab"),
    other::<warp_sse::WarpSse>("warp-sse"),
    other::<rocket_sse::RocketSse>("rocket-sse"),
    other::<poem_sse::PoemSse>("poem-sse"),
    other::<hyper_broadcast::HyperBroadcast>("hyper-broadcast"),
    other::<plain_sockets::PlainSockets>("plain-sockets"),
    other::<alone::axum::AxumAlone>("axum-alone"),
    other::<alone::actix::ActixAlone>("actix-alone"),
    other::<alone::warp::WarpAlone>("warp-alone"),
    other::<alone::rocket::RocketAlone>("rocket-alone"),
    other::<alone::poem::PoemAlone>("poem-alone"),
    other::<alone::hyper::HyperAlone>("hyper-alone"),
];

/// The five adapters of this project.
pub(crate) const OURS: &[&str] = &[
    "ours-axum",
    "ours-actix",
    "ours-warp",
    "ours-rocket",
    "ours-poem",
];

/// An adapter without its framework's server.
pub(crate) const ON_HYPER: &[&str] = &["ours-axum-on-hyper"];

/// The five frameworks with what they, or their users, have for server-sent events.
pub(crate) const FRAMEWORKS: &[&str] = &[
    "axum-broadcast",
    "actix-web-lab",
    "warp-sse",
    "rocket-sse",
    "poem-sse",
];

/// What is left without a framework.
pub(crate) const BARE: &[&str] = &["hyper-broadcast", "plain-sockets"];

/// One endless stream and nothing else, to see what a connection costs by itself.
pub(crate) const ALONE: &[&str] = &[
    "axum-alone",
    "actix-alone",
    "warp-alone",
    "rocket-alone",
    "poem-alone",
    "hyper-alone",
];

/// Whether the peer, or the row that begins with its name, is one of this project's adapters.
pub(crate) fn is_ours(name: &str) -> bool {
    // What decodes is no server, and is called by its own name.
    name.starts_with("ours-") || ["Decoder", "sse_client::read"].contains(&name)
}

/// The endless stream on the same framework; that of hyper for what has none.
pub(crate) fn framework_alone(name: &str) -> Option<&'static str> {
    let own = own_framework(name).unwrap_or(name);
    let framework = own.split('-').next()?;
    ALONE.iter().copied().find(|alone| {
        let is_same = alone.split('-').next() == Some(framework);
        is_same && *alone != name
    })
}

/// The peer that uses the same framework without these crates.
pub(crate) fn own_framework(name: &str) -> Option<&'static str> {
    PEERS.iter().find(|entry| entry.name == name)?.own
}

/// Serves the peer of this name until it is told to quit.
pub(crate) fn serve(name: &str, settings: &Settings) -> Result<()> {
    let entry = PEERS.iter().find(|entry| entry.name == name);
    let run = entry
        .with_context(|| format!("there is no peer {name}"))?
        .run;
    run(settings)
}

const fn ours<P: Peer>(name: &'static str, own: &'static str) -> Entry {
    Entry {
        own: Some(own),
        ..other::<P>(name)
    }
}

const fn other<P: Peer>(name: &'static str) -> Entry {
    let run = server::run::<P>;
    let own = None;
    Entry { name, own, run }
}
