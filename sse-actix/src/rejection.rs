//! `Rejection`, the answer to a client that cannot be subscribed.

use std::fmt;

use actix_web::{HttpResponse, ResponseError, http::StatusCode};
use sse_core::SubscribeError;

/// Why there is no stream: 503 with `Retry-After` after shutdown or when all places are taken,
/// 400 for too many topics, 500 if the provider fails.
#[derive(Debug)]
pub struct Rejection(pub SubscribeError);

impl From<SubscribeError> for Rejection {
    fn from(error: SubscribeError) -> Self {
        Self(error)
    }
}

/// The whole error, for a log; a client is told [`SubscribeError::public_text`].
impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl ResponseError for Rejection {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        if let Some(header) = self.0.retry_after() {
            response.insert_header(header);
        }
        response.body(self.0.public_text())
    }
}
