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

/// A peer by its name.
struct Peer {
    name: &'static str,
    kind: Kind,
    /// The peer that uses the same framework without these crates.
    own: Option<&'static str>,
    serve: fn(&Settings, Control) -> Result<()>,
}

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
    ours("ours-axum", "axum-broadcast", |it, control| block_on(axum::ours(it, control))),
    ours("ours-actix", "actix-web-lab", |it, control| actix::block_on(actix::ours(it, control))),
    ours("ours-warp", "warp-sse", |it, control| block_on(warp::ours(it, control))),
    ours("ours-rocket", "rocket-sse", |it, control| block_on(rocket::ours(it, control))),
    ours("ours-poem", "poem-sse", |it, control| block_on(poem::ours(it, control))),
    peer("ours-axum-on-hyper", Kind::OnHyper, |it, control| block_on(axum::ours_on_hyper(it, control))),
    peer("axum-broadcast", Kind::Framework, |_, control| block_on(axum::own(control))),
    peer("actix-web-lab", Kind::Framework, |_, control| actix::block_on(actix::own(control))),
    peer("warp-sse", Kind::Framework, |_, control| block_on(warp::own(control))),
    peer("rocket-sse", Kind::Framework, |_, control| block_on(rocket::own(control))),
    peer("poem-sse", Kind::Framework, |_, control| block_on(poem::own(control))),
    peer("hyper-broadcast", Kind::Bare, |_, control| block_on(bare::hyper(control))),
    peer("plain-sockets", Kind::Bare, |_, control| block_on(bare::sockets(control))),
    peer("axum-alone", Kind::Alone, |_, _| block_on(axum::alone())),
    peer("actix-alone", Kind::Alone, |_, _| actix::block_on(actix::alone())),
    peer("warp-alone", Kind::Alone, |_, _| block_on(warp::alone())),
    peer("rocket-alone", Kind::Alone, |_, _| block_on(rocket::alone())),
    peer("poem-alone", Kind::Alone, |_, _| block_on(poem::alone())),
    peer("hyper-alone", Kind::Alone, |_, _| block_on(bare::hyper_alone())),
];

type Serve = fn(&Settings, Control) -> Result<()>;

const fn ours(name: &'static str, own: &'static str, serve: Serve) -> Peer {
    let mut peer = peer(name, Kind::Ours, serve);
    peer.own = Some(own);
    peer
}

const fn peer(name: &'static str, kind: Kind, serve: Serve) -> Peer {
    let own = None;
    Peer {
        name,
        kind,
        own,
        serve,
    }
}

/// Returns the names of the peers of these kinds, in the order of the report.
pub(crate) fn names(kinds: &[Kind]) -> Vec<&'static str> {
    let peers = PEERS.iter().filter(|peer| kinds.contains(&peer.kind));
    peers.map(|peer| peer.name).collect()
}

/// Returns `true` if a row, which begins with the name of its peer, belongs to this project.
pub(crate) fn is_ours(row: &str) -> bool {
    // A decoder is no server, and is called by its own name.
    row.starts_with("ours-") || ["Decoder", "sse_client::read"].contains(&row)
}

/// Returns the peer that uses the same framework without these crates.
pub(crate) fn own_framework(name: &str) -> Option<&'static str> {
    PEERS.iter().find(|peer| peer.name == name)?.own
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
    let peer = PEERS.iter().find(|peer| peer.name == name);
    let peer = peer.with_context(|| format!("there is no peer {name}"))?;
    (peer.serve)(settings, Control::new(settings)?)
}
