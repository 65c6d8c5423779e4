//! The updates of an event source.

use std::{fmt, time::Duration};

use http::{HeaderMap, StatusCode};
use url::Url;

use crate::{Error, Event, Report, shown::shown};

/// An update of an [`EventSource`](crate::EventSource): an event, or a change of its state, which
/// is the standard's `readyState`.
#[derive(Debug)]
#[non_exhaustive]
pub enum Update {
    /// A connection is about to be made: the first one now, another one after a wait.
    Connecting(Connecting),
    /// The server has accepted. Events follow.
    Open(Open),
    /// An event.
    Event(Event),
    /// A comment, if [`comments`](crate::EventSource::comments) are wanted; one leading space is
    /// removed. Servers send them to keep connections alive.
    Comment(String),
    /// The source has ended for good, and so does the stream of updates.
    Closed(Closed),
}

/// A connection that is about to be made.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Connecting {
    /// The reason why another connection is needed, or `None` for the first one and after
    /// [`Handle::reconnect`](crate::Handle::reconnect).
    pub error: Option<Error>,
    /// The wait before the attempt.
    pub wait: Duration,
    /// The number of attempts in a row that have failed before it: 0 at first and after a healthy
    /// connection; see [`Backoff`](crate::Backoff).
    pub failures: u32,
}

/// For people: the reason with all causes, and the wait.
impl fmt::Display for Connecting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.error {
            Some(error) => {
                let report = Report::new(error);
                write!(f, "{report}; connecting again in {:.1?}", self.wait)
            }
            None => f.write_str("connecting"),
        }
    }
}

/// A connection that the server has accepted. It displays the URL without what may be a secret:
/// user name, password and query.
#[derive(Clone)]
#[non_exhaustive]
pub struct Open {
    /// The URL of the stream after redirects; its origin is that of the events.
    pub url: Url,
    /// The status: 200, unless [`accept`](crate::EventSource::accept) lets others through.
    pub status: StatusCode,
    /// The headers of the response.
    pub headers: HeaderMap,
    /// The last event id, if it has a control character, which a header cannot hold: the server has
    /// not been told where to continue, and events may be missing or come again.
    pub unsent_id: Option<String>,
}

impl fmt::Display for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "connected to {}", shown(&self.url))?;
        if let Some(id) = &self.unsent_id {
            write!(
                f,
                ", without the last event id {id:?}, which no header can hold"
            )?;
        }
        Ok(())
    }
}

/// Without the headers, which may hold secrets.
impl fmt::Debug for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Open")
            .field("url", &shown(&self.url))
            .field("status", &self.status)
            .field("unsent_id", &self.unsent_id)
            .finish_non_exhaustive()
    }
}

/// The reason why an [`EventSource`](crate::EventSource) has ended for good.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Closed {
    /// The server asked its clients to stay away, by 204 No Content.
    #[error("the server ended the stream with 204 No Content")]
    Stopped,
    /// A permanent failure: another attempt would fail in the same way.
    #[error(transparent)]
    Failed(Error),
    /// Too many attempts failed, or for too long; see [`Backoff`](crate::Backoff).
    #[error("gave up after {}", failed_attempts(*failures))]
    GaveUp {
        /// The number of attempts that failed in a row: 0 if a healthy connection has ended and no
        /// retry is allowed.
        failures: u32,
        /// The error of the last one, or the end of that connection.
        #[source]
        error: Error,
    },
    /// [`Handle::close`](crate::Handle::close) was called.
    #[error("closed by the client")]
    ByClient,
    /// The source had ended before, and the reason has been reported.
    #[error("the event source has already ended")]
    Already,
}

fn failed_attempts(failures: u32) -> String {
    match failures {
        0 => "a connection that worked".to_owned(),
        1 => "1 failed attempt".to_owned(),
        many => format!("{many} failed attempts"),
    }
}

/// The text with all causes: a `main` that returns the error prints its `Debug`, and the name of a
/// variant would not say what to do.
impl fmt::Debug for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Report::new(self), f)
    }
}
