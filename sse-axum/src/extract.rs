//! `LastEventId`, the extractor.

use std::convert::Infallible;

use axum_core::extract::FromRequestParts;
use http::request::Parts;
use sse_core::{ResumeFrom, response::LAST_EVENT_ID};

/// The place at which the client asks to continue: its `Last-Event-ID` header, or the query
/// parameter `lastEventId` from clients that cannot set headers. Never rejects, so there is no
/// `Option<LastEventId>`: take it as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LastEventId(pub ResumeFrom);

impl<S: Sync> FromRequestParts<S> for LastEventId {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let header = parts
            .headers
            .get(LAST_EVENT_ID)
            .map(http::HeaderValue::as_bytes);
        Ok(Self(ResumeFrom::from_request(header, parts.uri.query())))
    }
}
