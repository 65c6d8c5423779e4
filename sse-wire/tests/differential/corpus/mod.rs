//! Streams, with the items that a browser makes of them, written by hand.

mod realistic;
mod rules;

use crate::seen::Seen;

/// A stream and the items that come out of it.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// The name by which a difference refers to it.
    pub(crate) name: &'static str,
    pub(crate) stream: Vec<u8>,
    pub(crate) expected: Vec<Seen>,
}

/// Returns all cases: first one for each rule, then streams as servers send them.
pub(crate) fn cases() -> Vec<Case> {
    [rules::cases(), realistic::cases()].concat()
}

fn case<const N: usize>(name: &'static str, stream: impl AsRef<[u8]>, expected: [Seen; N]) -> Case {
    Case {
        name,
        stream: stream.as_ref().to_vec(),
        expected: expected.into(),
    }
}

fn event(id: &str, event: &str, data: &str) -> Seen {
    Seen::Event {
        id: id.to_owned(),
        event: event.to_owned(),
        data: data.to_owned(),
    }
}

/// An event without id and type.
fn message(data: &str) -> Seen {
    event("", "message", data)
}

fn comment(text: &str) -> Seen {
    Seen::Comment(text.to_owned())
}

fn retry(millis: u64) -> Seen {
    Seen::Retry(millis)
}
