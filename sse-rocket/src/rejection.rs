//! `Rejection`, a handler's error.

use rocket::{
    Request, Response,
    http::Status,
    response::{self, Responder},
};
use sse_core::{
    PublishError, SubscribeError,
    response::{Answer, Refusal},
};

/// The error of a handler, for `?`: a client is not subscribed, or a message not published.
///
/// A browser survives it where coming back helps: see [`Refusal`]. [`with_status`](Self::with_status) says it by a
/// status instead, `hub.subscribe(..).await.map_err(Rejection::with_status)?`.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Rejection(pub Refusal);

impl Rejection {
    /// Refuses by a status what is answered by a stream otherwise: 503 with `Retry-After`, 412, 500.
    pub fn with_status(error: impl Into<Refusal>) -> Self {
        Self(error.into().with_status())
    }
}

impl From<SubscribeError> for Rejection {
    fn from(error: SubscribeError) -> Self {
        Self(error.into())
    }
}

impl From<PublishError> for Rejection {
    fn from(error: PublishError) -> Self {
        Self(error.into())
    }
}

impl<'r> Responder<'r, 'static> for Rejection {
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
