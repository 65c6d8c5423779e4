//! `SseError`, the error of a handler.

use rocket::{
    Request, Response,
    http::Status,
    response::{self, Responder},
};
use sse_core::response::{Answer, Refusal};

/// The error of a handler, for `?`: a subscription, a publish or a [`Post`] that is refused.
///
/// A browser survives the answer where coming back helps: see [`Refusal`], which lists the statuses
/// as well.
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

impl<'r> Responder<'r, 'static> for SseError {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        let Answer {
            status,
            headers,
            body,
        } = self.0.answer();
        let mut response = Response::build_from(body.respond_to(request)?);
        response.status(Status::new(status));
        for (name, value) in headers {
            response.raw_header(name, value);
        }
        response.ok()
    }
}
