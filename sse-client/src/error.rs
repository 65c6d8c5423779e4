//! Why a connection was not made or did not last.

use std::{fmt, time::Duration};

use http::StatusCode;
use sse_wire::DecodeError;

use crate::{BoxError, RedirectError, TransportError, transport::with_sources};

/// Why a connection was not made or did not last.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server ended the stream.
    #[error("the server ended the stream")]
    Ended,
    /// The connection broke off.
    #[error("the connection was lost: {0}")]
    Lost(#[source] TransportError),
    /// Nothing came, not even a comment.
    #[error("nothing came for {after:?}; if the server is that quiet, raise `idle_timeout`")]
    Idle {
        /// The time limit.
        after: Duration,
    },
    /// There is no connection, or no response.
    #[error("cannot connect: {0}")]
    Connect(#[source] TransportError),
    /// The server answered with a status that is not 200.
    #[error("the server answered {status}")]
    Status {
        /// The status.
        status: StatusCode,
        /// When the server wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// The response is no event stream.
    #[error(
        "the server answered with {}, not text/event-stream",
        found.as_deref().unwrap_or("no content type")
    )]
    ContentType {
        /// The `Content-Type` header, if there was one.
        found: Option<String>,
    },
    /// A redirect leads nowhere.
    #[error(transparent)]
    Redirect(#[from] RedirectError),
    /// A line or an event exceeds its limit. Another connection would get the same again.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The request is not one: its URL or a header is malformed.
    #[error("the request is malformed: {0}")]
    Request(#[source] BoxError),
    /// Your function that builds requests failed. It is asked again for the next attempt.
    #[error("the request could not be built: {0}")]
    Build(#[source] BoxError),
    /// The last event id has a control character, which a header cannot hold.
    #[error(
        "the last event id {id:?} has a control character and cannot be sent as `Last-Event-ID`; the server must not give such ids"
    )]
    LastEventId {
        /// The id.
        id: String,
    },
}

/// The text: a `main` that returns it prints its `Debug`, and the name of a variant would not say
/// what to do.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error {
    /// Whether another attempt may succeed.
    pub(crate) fn is_worth_a_retry(&self, retry_on: impl FnOnce(StatusCode) -> bool) -> bool {
        match self {
            Self::Ended | Self::Lost(_) | Self::Idle { .. } | Self::Build(_) => true,
            Self::Connect(error) => !error.is_permanent(),
            Self::Status { status, .. } => retry_on(*status),
            Self::ContentType { .. }
            | Self::Redirect(_)
            | Self::Decode(_)
            | Self::Request(_)
            | Self::LastEventId { .. } => false,
        }
    }

    /// Whether the server asks its clients to stay away.
    pub(crate) fn is_no_content(&self) -> bool {
        matches!(self, Self::Status { status, .. } if *status == StatusCode::NO_CONTENT)
    }

    /// When the server wants to be asked again.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

/// Why reading a body ended early. Nothing follows it.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The body failed: the connection was lost, or the server cut it off.
    #[error("the event stream broke off: {}", with_sources(&**.0))]
    Body(#[source] BoxError),
    /// The body ended properly, but before the event that was to end it.
    #[error("the event stream ended before `{expected}`: the answer is not complete")]
    Incomplete {
        /// The data of that event.
        expected: String,
    },
    /// A line or an event exceeds its limit.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The response is no event stream. Available with feature `reqwest`.
    #[cfg(feature = "reqwest")]
    #[error(transparent)]
    Refused(#[from] Refused),
}

/// The text: a `main` that returns it prints its `Debug`, and the name of a variant would not say
/// what to do.
impl fmt::Debug for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl ReadError {
    /// An error of a body.
    pub(crate) fn body(error: impl Into<BoxError>) -> Self {
        let error = error.into();
        #[cfg(feature = "reqwest")]
        let error = match error.downcast::<Refused>() {
            Ok(refused) => return Self::Refused(*refused),
            Err(error) => error,
        };
        Self::Body(error)
    }
}

/// A response that is no event stream. Available with feature `reqwest`.
#[cfg(feature = "reqwest")]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the server answered {status} with {}, not an event stream{}",
    content_type.as_deref().unwrap_or("no content type"),
    after_colon(text)
)]
#[non_exhaustive]
pub struct Refused {
    /// The status.
    pub status: http::StatusCode,
    /// The `Content-Type` header, if there was one.
    pub content_type: Option<String>,
    /// The body: its first 16 KiB, as far as they came within two seconds.
    pub text: String,
}

#[cfg(feature = "reqwest")]
fn after_colon(text: &str) -> String {
    match text.trim() {
        "" => String::new(),
        text => format!(": {text:.500}"),
    }
}
