//! `Rejection`, the answer to a client that cannot be subscribed.

use sse_core::SubscribeError;
use warp::{
    Reply,
    http::{HeaderValue, StatusCode},
    reject::Reject,
    reply::Response,
};

/// Why there is no stream: 503 with `Retry-After` after shutdown or when all places are taken,
/// 400 for too many topics, 500 if the provider fails.
///
/// It is a reply: end a route with `.then(handler)`, where the handler returns a `Result<Sse, Rejection>`.
/// In `.and_then(handler)` the operator `?` makes a [`warp::Rejection`] of it, for a filter's `recover` to find.
#[derive(Debug)]
pub struct Rejection(pub SubscribeError);

impl From<SubscribeError> for Rejection {
    fn from(error: SubscribeError) -> Self {
        Self(error)
    }
}

impl Reject for Rejection {}

impl Reply for Rejection {
    fn into_response(self) -> Response {
        let mut response = self.0.public_text().into_response();
        *response.status_mut() =
            StatusCode::from_u16(self.0.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if let Some((name, value)) = self.0.retry_after() {
            response
                .headers_mut()
                .insert(name, HeaderValue::from_static(value));
        }
        response
    }
}
