//! `SseError`, the error of a handler.

use sse_core::response::Refusal;
use warp::{Reply, http, reject::Reject, reply::Response};

/// The error of a handler, for `?`: a subscription, a publish or a [`Post`] that is refused.
///
/// A browser survives the answer where coming back helps: see [`Refusal`], which lists the statuses
/// as well.
///
/// It is a reply: end a route with `.then(handler)`, whose handler returns a `Result<Sse,
/// SseError>`. In `.and_then(handler)` the operator `?` turns it into a [`warp::Rejection`], for a
/// filter's `recover` to find.
///
/// [`Post`]: sse_core::response::Post
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct SseError(pub Refusal);

impl SseError {
    /// Refuses with an error status (412, 500, or 503 with `Retry-After`) where the answer would be
    /// a stream otherwise: `hub.subscribe(..).await.map_err(SseError::with_status)?`.
    pub fn with_status(error: impl Into<Refusal>) -> Self {
        Self(error.into().with_status())
    }
}

impl<E: Into<Refusal>> From<E> for SseError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl Reject for SseError {}

impl Reply for SseError {
    fn into_response(self) -> Response {
        http::Response::from(&self.0).into_response()
    }
}
