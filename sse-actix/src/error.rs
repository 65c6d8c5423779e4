//! `SseError`, the error of a handler.

use actix_web::{HttpResponse, ResponseError, http::StatusCode};
use sse_core::response::{Answer, NOT_COMPRESSED, Refusal};

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

impl ResponseError for SseError {
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
