//! `LastEventId`, the extractor.

use std::{
    convert::Infallible,
    future::{Ready, ready},
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header::HeaderValue};
use sse_core::{ResumeFrom, response::LAST_EVENT_ID};

/// The place at which the client asks to continue: its `Last-Event-ID` header, or the query
/// parameter `lastEventId` from clients that cannot set headers. Never rejects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LastEventId(pub ResumeFrom);

impl FromRequest for LastEventId {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let header = request
            .headers()
            .get(LAST_EVENT_ID)
            .map(HeaderValue::as_bytes);
        let resume_from = ResumeFrom::from_request(header, request.uri().query());
        ready(Ok(Self(resume_from)))
    }
}
