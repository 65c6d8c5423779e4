//! `Rejection`, a handler's error.

use actix_web::{HttpResponse, ResponseError, http::StatusCode};
use sse_core::{
    PublishError, SubscribeError,
    response::{Answer, NOT_COMPRESSED, Refusal},
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

impl ResponseError for Rejection {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.0.answer().status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let Answer { headers, body, .. } = self.0.answer();
        let mut response = HttpResponse::build(self.status_code());
        for header in headers.into_iter().chain([NOT_COMPRESSED]) {
            response.insert_header(header);
        }
        response.body(body)
    }
}
