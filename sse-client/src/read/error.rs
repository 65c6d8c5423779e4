//! Why reading a body ended early.

use std::fmt;

use sse_wire::DecodeError;

use crate::{BoxError, transport::with_sources};

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
    pub(super) fn body(error: impl Into<BoxError>) -> Self {
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
