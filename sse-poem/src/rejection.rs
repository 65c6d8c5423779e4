//! `Rejection`, the answer to a client that cannot be subscribed.

use poem::{
    IntoResponse, Response,
    error::ResponseError,
    http::{HeaderValue, StatusCode},
};
use sse_core::SubscribeError;

/// Why there is no stream: 503 with `Retry-After` after shutdown or when all places are taken,
/// 400 for too many topics, 500 if the provider fails.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Rejection(#[from] pub SubscribeError);

impl ResponseError for Rejection {
    fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn as_response(&self) -> Response {
        let text = self.0.public_text();
        let mut response = text.with_status(self.status()).into_response();
        if let Some((name, value)) = self.0.retry_after() {
            let value = HeaderValue::from_static(value);
            response.headers_mut().insert(name, value);
        }
        response
    }
}
