//! `Rejection`, the answer to a client that cannot be subscribed.

use rocket::{
    Request, Response,
    http::Status,
    response::{self, Responder},
};
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

impl<'r> Responder<'r, 'static> for Rejection {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        let text = self.0.public_text().respond_to(request)?;
        let mut response = Response::build_from(text);
        response.status(Status::new(self.0.status()));
        if let Some((name, value)) = self.0.retry_after() {
            response.raw_header(name, value);
        }
        response.ok()
    }
}
