//! Why a connection was not made or did not last.

use std::{fmt, time::Duration};

use http::StatusCode;
use sse_wire::DecodeError;

use crate::{BoxError, TransportError};

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
    Redirect(#[from] Redirect),
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

/// Why a redirect was not followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Redirect {
    /// It does not say where to.
    #[error("the server answered {status} without a Location header")]
    NoLocation {
        /// The status.
        status: StatusCode,
    },
    /// It does not lead to an HTTP URL.
    #[error("the server redirects to {location:?}, which is no HTTP URL")]
    BadLocation {
        /// The `Location` header.
        location: String,
    },
    /// There are too many in a row.
    #[error("more than {limit} redirects in a row; raise `max_redirects` if that is right")]
    TooMany {
        /// The limit.
        limit: usize,
    },
}

impl Error {
    /// Whether another attempt may succeed.
    pub(super) fn is_worth_a_retry(&self, retry_on: impl FnOnce(StatusCode) -> bool) -> bool {
        match self {
            Self::Ended | Self::Lost(_) | Self::Idle { .. } | Self::Build(_) => true,
            Self::Connect(error) => !error.is_futile(),
            Self::Status { status, .. } => retry_on(*status),
            Self::ContentType { .. }
            | Self::Redirect(_)
            | Self::Decode(_)
            | Self::Request(_)
            | Self::LastEventId { .. } => false,
        }
    }

    /// Whether the server asks its clients to stay away.
    pub(super) fn is_no_content(&self) -> bool {
        matches!(self, Self::Status { status, .. } if *status == StatusCode::NO_CONTENT)
    }

    /// When the server wants to be asked again.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}
