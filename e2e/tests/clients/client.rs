//! The table of the clients.

use crate::events::Event;

/// One kind of client.
#[derive(Debug)]
pub(crate) struct Client {
    /// The name of its tests.
    pub(crate) name: &'static str,
    /// The name that people use.
    pub(crate) title: &'static str,
    pub(crate) program: Program,
    /// Its reaction to the first bytes of a stream: the id of the place and a blank line.
    pub(crate) opening: Opening,
    /// Its own faults, which no server can avoid.
    pub(crate) faults: &'static [Fault],
}

/// The program that runs a client.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Program {
    /// A page in headless Chromium.
    Chromium,
    /// A script for Node.js in `e2e/clients`.
    Node(&'static str),
    /// A script for Python in `e2e/clients`.
    Python(&'static str),
    /// A program of this package.
    Rust(&'static str),
}

/// The reaction of a client to an id without data. A client that changes its reaction fails its
/// tests until it is changed here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opening {
    /// It dispatches nothing, and comes back with the id, as the standard says.
    Kept,
    /// It dispatches an event without data, and comes back with the id.
    Dispatched,
    /// It dispatches nothing and forgets the id, as that of every message without data. If it is
    /// cut off before its first message, it comes back as a new client.
    Forgotten,
}

/// A known fault of a client. A client that is repaired fails its tests until the fault is removed
/// here.
#[derive(Debug)]
pub(crate) struct Fault {
    /// The description in the table.
    pub(crate) reason: &'static str,
    /// Changes an event as the client does.
    pub(crate) spoil: fn(&mut Event),
}

pub(crate) const CLIENTS: &[Client] = &[
    Client {
        name: "chromium",
        title: "Chromium, `EventSource`",
        program: Program::Chromium,
        opening: Opening::Kept,
        faults: &[],
    },
    Client {
        name: "curl",
        title: "`curl -N`, its output read line by line",
        program: Program::Node("curl.mjs"),
        opening: Opening::Kept,
        faults: &[],
    },
    Client {
        name: "event_source_polyfill",
        title: "npm `event-source-polyfill`",
        program: Program::Node("event-source-polyfill.mjs"),
        opening: Opening::Forgotten,
        faults: &[],
    },
    Client {
        name: "eventsource",
        title: "npm `eventsource`",
        program: Program::Node("eventsource.mjs"),
        opening: Opening::Forgotten,
        faults: &[],
    },
    Client {
        name: "fetch_event_source",
        title: "npm `@microsoft/fetch-event-source`",
        program: Program::Node("fetch-event-source.mjs"),
        opening: Opening::Dispatched,
        faults: &[Fault {
            reason: "drops empty lines at the beginning of the data: it joins lines only to data that is not empty",
            spoil: |event| event.data = event.data.trim_start_matches('\n').to_owned(),
        }],
    },
    Client {
        name: "httpx_sse",
        title: "PyPI `httpx-sse`",
        program: Program::Python("httpx-sse.py"),
        opening: Opening::Dispatched,
        faults: &[],
    },
    Client {
        name: "reconnecting_eventsource",
        title: "npm `reconnecting-eventsource`, around `eventsource`",
        program: Program::Node("reconnecting-eventsource.mjs"),
        opening: Opening::Forgotten,
        faults: &[],
    },
    Client {
        name: "sse_client",
        title: "`sse-client`, ours",
        program: Program::Rust(env!("CARGO_BIN_EXE_sse-client-driver")),
        opening: Opening::Kept,
        faults: &[],
    },
    Client {
        name: "sseclient_py",
        title: "PyPI `sseclient-py`",
        program: Program::Python("sseclient-py.py"),
        opening: Opening::Forgotten,
        faults: &[],
    },
    Client {
        name: "undici",
        title: "npm `undici`, `EventSource`",
        program: Program::Node("undici.mjs"),
        opening: Opening::Kept,
        faults: &[],
    },
];
