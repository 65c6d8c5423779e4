//! `Rejection`, the answer to a client that cannot be subscribed.

use axum_core::response::{IntoResponse, Response};
use http::StatusCode;
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

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.0.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = self.0.retry_after().map(|header| [header]);
        (status, retry_after, self.0.public_text()).into_response()
    }
}
