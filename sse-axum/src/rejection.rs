//! `Rejection`, a handler's error.

use axum_core::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode};
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

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        let Answer {
            status,
            headers,
            body,
        } = self.0.answer();
        let mut response = body.into_response();
        *response.status_mut() =
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in headers {
            response.headers_mut().insert(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        response
    }
}
