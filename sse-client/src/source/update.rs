//! What an event source tells.

use std::{fmt, time::Duration};

use http::{HeaderMap, StatusCode};
use url::Url;

use super::Error;
use crate::Event;

/// What an [`EventSource`](crate::EventSource) tells: its events and its state, which is the standard's `readyState`.
#[derive(Debug)]
#[non_exhaustive]
pub enum Update {
    /// A connection is going to be made: the first one now, another one after a wait.
    Connecting(Connecting),
    /// The server has accepted. Events follow.
    Open(Open),
    /// An event.
    Event(Event),
    /// It is over, and the stream of updates ends.
    Closed(Closed),
}

/// A connection is going to be made.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Connecting {
    /// Why another connection is needed; nothing at the first.
    pub error: Option<Error>,
    /// How long it is waited for.
    pub wait: Duration,
    /// How many connections and attempts in a row have come to an end before it: 0 at first, 1 after a healthy connection.
    pub failures: u32,
}

/// For people: why, and how long it takes.
impl fmt::Display for Connecting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.error {
            Some(error) => write!(f, "{error}; connecting again in {:.1?}", self.wait),
            None => f.write_str("connecting"),
        }
    }
}

/// The server has accepted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Open {
    /// Where the stream comes from, after redirects; its origin is that of the events.
    pub url: Url,
    /// The status: 200.
    pub status: StatusCode,
    /// The headers of the response.
    pub headers: HeaderMap,
}

/// Why an [`EventSource`](crate::EventSource) has ended for good.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Closed {
    /// The server asked its clients to stay away, by 204 No Content.
    #[error("the server ended the stream with 204 No Content")]
    Stopped,
    /// What happened would happen again.
    #[error(transparent)]
    Failed(Error),
    /// Connecting was given up, as [`Backoff`](crate::Backoff) says.
    #[error("gave up after {failures} failed attempts; the last: {error}")]
    GaveUp {
        /// How many attempts failed in a row.
        failures: u32,
        /// How the last one failed.
        #[source]
        error: Error,
    },
    /// [`Handle::close`](crate::Handle::close) was called.
    #[error("closed by the client")]
    ByClient,
    /// It had ended before, and the reason has been told.
    #[error("the event source has already ended")]
    Already,
}

/// The text: a `main` that returns it prints its `Debug`, and the name of a variant would not say
/// what to do.
impl fmt::Debug for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
