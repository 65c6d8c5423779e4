//! The servers that are measured: these crates, and what people use instead.
//!
//! Each framework has a file. `ours` in it is the adapter of this project, used as in its example
//! app; `own` is the server-sent events of the framework or its users, as its documentation shows
//! them; `alone` is an endless body and nothing else: the cost of the connection itself. All serve
//! on one thread, with nothing left out that users would have, until SIGTERM, and then end as
//! gracefully as the documentation shows.

mod actix;
mod axum;
mod bare;
mod fanouts;
mod poem;
mod rocket;
mod warp;

use anyhow::{Context as _, Result};

use crate::server::{Control, Settings, block_on};

/// A name, the kind, the peer that uses the same framework without these crates, and the server.
type Peer = (&'static str, Kind, Option<&'static str>, Serve);

type Serve = fn(&Settings, Control) -> Result<()>;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One of the five adapters of this project.
    Ours,
    /// An adapter without its framework's server.
    OnHyper,
    /// A framework with the server-sent events that it, or its users, have.
    Framework,
    /// A server without a framework.
    Bare,
    /// One endless stream and nothing else.
    Alone,
}

#[rustfmt::skip]
const PEERS: &[Peer] = &[
    ("ours-axum", Kind::Ours, Some("axum-broadcast"), |it, control| block_on(axum::ours(it, control))),
    ("ours-actix", Kind::Ours, Some("actix-web-lab"), |it, control| actix::block_on(actix::ours(it, control))),
    ("ours-warp", Kind::Ours, Some("warp-sse"), |it, control| block_on(warp::ours(it, control))),
    ("ours-rocket", Kind::Ours, Some("rocket-sse"), |it, control| block_on(rocket::ours(it, control))),
    ("ours-poem", Kind::Ours, Some("poem-sse"), |it, control| block_on(poem::ours(it, control))),
    ("ours-axum-on-hyper", Kind::OnHyper, None, |it, control| block_on(axum::ours_on_hyper(it, control))),
    ("axum-broadcast", Kind::Framework, None, |_, control| block_on(axum::own(control))),
    ("actix-web-lab", Kind::Framework, None, |_, control| actix::block_on(actix::own(control))),
    ("warp-sse", Kind::Framework, None, |_, control| block_on(warp::own(control))),
    ("rocket-sse", Kind::Framework, None, |_, control| block_on(rocket::own(control))),
    ("poem-sse", Kind::Framework, None, |_, control| block_on(poem::own(control))),
    ("hyper-broadcast", Kind::Bare, None, |_, control| block_on(bare::hyper(control))),
    ("plain-sockets", Kind::Bare, None, |_, control| block_on(bare::sockets(control))),
    ("axum-alone", Kind::Alone, None, |_, _| block_on(axum::alone())),
    ("actix-alone", Kind::Alone, None, |_, _| actix::block_on(actix::alone())),
    ("warp-alone", Kind::Alone, None, |_, _| block_on(warp::alone())),
    ("rocket-alone", Kind::Alone, None, |_, _| block_on(rocket::alone())),
    ("poem-alone", Kind::Alone, None, |_, _| block_on(poem::alone())),
    ("hyper-alone", Kind::Alone, None, |_, _| block_on(bare::hyper_alone())),
];

/// Returns the names of the peers of these kinds, in the order of the report.
pub(crate) fn names(kinds: &[Kind]) -> Vec<&'static str> {
    let peers = PEERS.iter().filter(|(_, kind, ..)| kinds.contains(kind));
    peers.map(|(name, ..)| *name).collect()
}

/// Returns `true` if a row, which begins with the name of its peer, belongs to this project.
pub(crate) fn is_ours(row: &str) -> bool {
    // A decoder is no server, and is called by its own name.
    row.starts_with("ours-") || ["Decoder", "sse_client::read"].contains(&row)
}

/// Returns the peer that uses the same framework without these crates.
pub(crate) fn own_framework(name: &str) -> Option<&'static str> {
    PEERS.iter().find(|peer| peer.0 == name)?.2
}

/// Returns the endless stream on the same framework, if there is one.
pub(crate) fn framework_alone(name: &str) -> Option<&'static str> {
    let framework = |name: &str| name.split('-').next().map(str::to_owned);
    let own = framework(own_framework(name).unwrap_or(name));
    let mut alone = names(&[Kind::Alone]).into_iter();
    alone.find(|alone| framework(alone) == own && *alone != name)
}

/// Serves the peer of this name until it is told to quit.
pub(crate) fn serve(name: &str, settings: &Settings) -> Result<()> {
    let peer = PEERS.iter().find(|peer| peer.0 == name);
    let (.., serve) = peer.with_context(|| format!("there is no peer {name}"))?;
    serve(settings, Control::new(settings)?)
}
