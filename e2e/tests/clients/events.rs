//! The messages that are published, and the events that a client reports.

use anyhow::{Context as _, Result};
use serde_json::Value;

/// The types of the messages that have one, for clients that listen for a type, each also as it is
/// written in a query.
pub(crate) const TYPES: [(&str, &str); 3] = [
    ("gap", "gap"),
    ("order", "order"),
    ("größe", "gr%C3%B6%C3%9Fe"),
];

/// An event as it should arrive, or as it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    /// `None` for an event whose id is unknown, or is that of the event before: only some clients
    /// repeat it.
    pub(crate) id: Option<String>,
    pub(crate) kind: String,
    pub(crate) data: String,
}

impl Event {
    /// Returns the event that some clients make of the id of the place where a stream begins, which
    /// has no data.
    pub(crate) fn opening() -> Self {
        Self {
            id: None,
            kind: "message".to_owned(),
            data: String::new(),
        }
    }

    /// Returns the first event for a client whose id the server does not know.
    pub(crate) fn gap() -> Self {
        Self {
            id: None,
            kind: "gap".to_owned(),
            data: r#"{"reason":"unknown"}"#.to_owned(),
        }
    }

    /// Reads an event from the report of a driver.
    pub(crate) fn reported(line: &Value) -> Result<Self> {
        let text = |name: &str| line[name].as_str().map(str::to_owned);
        Ok(Self {
            id: text("id"),
            kind: text("event").with_context(|| format!("a driver says: {line}"))?,
            data: text("data").with_context(|| format!("a driver says: {line}"))?,
        })
    }

    /// Returns `true` if this event arrived as `reported`.
    pub(crate) fn is(&self, reported: &Self) -> bool {
        let same_id = self.id.is_none() || self.id == reported.id;
        same_id && self.kind == reported.kind && self.data == reported.data
    }
}

/// A message to publish: its type as it is written in a query, if it has one, the same in plain
/// text, and data.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) query: String,
    pub(crate) kind: &'static str,
    pub(crate) data: String,
}

/// Returns message number `n`. Its data has in turn everything that parsers get wrong.
pub(crate) fn draft(n: usize) -> Draft {
    let [_, order, size] = TYPES;
    let plain = ("message", "");
    let ((kind, quoted), data) = match n % 12 {
        0 => (plain, format!("{n}")),
        1 => (plain, format!("line 1 of {n}\nline 2\n\nline 4")),
        2 => (plain, format!("Grüße {n}, 世界 \u{1f600}")),
        3 => (plain, format!("  two spaces before {n}, one after ")),
        4 => (plain, String::new()),
        5 => (order, format!(r#"{{"order":{n},"text":"a: b"}}"#)),
        6 => (plain, format!("{n}\nid: 7\nevent: x\nretry: 1\n: comment")),
        7 => (size, format!("\ta tab before {n}")),
        // Line breaks for the line splitters of some languages, but not in event streams.
        8 => (
            plain,
            format!("{n}\u{b}\u{c}\u{1c}\u{1d}\u{1e}\u{85}\u{2028}\u{2029}."),
        ),
        9 => (plain, format!("\n\n{n} between empty lines\n")),
        10 => (plain, ":".to_owned()),
        // Data that is cut in the middle of characters on its way.
        _ if n % 60 == 11 => (size, "世\u{1f600}".repeat(10_000)),
        _ => (order, " ".to_owned()),
    };
    let query = match quoted {
        "" => String::new(),
        quoted => format!("&event={quoted}"),
    };
    Draft { query, kind, data }
}
