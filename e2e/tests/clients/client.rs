//! The clients, one table.

use crate::events::Event;

/// One kind of client.
#[derive(Debug)]
pub(crate) struct Client {
    /// As its tests are named.
    pub(crate) name: &'static str,
    /// As people name it.
    pub(crate) title: &'static str,
    pub(crate) program: Program,
    /// Its answer to the first bytes of a stream: the id of the place and a blank line.
    pub(crate) opening: Opening,
    /// Where it is wrong by itself, whatever a server sends.
    pub(crate) faults: &'static [Fault],
}

/// What runs it.
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

/// The answer of a client to an id without data. Each is expected of it as it is: one that changes fails its tests until
/// it is changed here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opening {
    /// It dispatches nothing, and comes back with the id: what the standard says.
    Kept,
    /// It makes an event without data of it, and comes back with the id.
    Dispatched,
    /// It dispatches nothing and forgets the id, as that of every message without data. Cut off before its first
    /// message, it comes back as a new client.
    Forgotten,
}

/// What a client does wrong, and is expected to: one that is repaired fails its tests until it is taken out here.
#[derive(Debug)]
pub(crate) struct Fault {
    /// For the table.
    pub(crate) reason: &'static str,
    /// What the client makes of an event.
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
