//! `LastEventId`, the extractor.

use poem::{FromRequest, Request, RequestBody, Result, http::HeaderValue};
use sse_core::{ResumeFrom, response::LAST_EVENT_ID};

/// The place at which the client asks to continue: its `Last-Event-ID` header, or the query
/// parameter `lastEventId` from clients that cannot set headers. Never rejects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LastEventId(pub ResumeFrom);

impl LastEventId {
    /// Does the extractor's work, for an endpoint that is not a function.
    pub(crate) fn of(request: &Request) -> Self {
        let header = request.headers().get(LAST_EVENT_ID);
        let header = header.map(HeaderValue::as_bytes);
        Self(ResumeFrom::from_request(header, request.uri().query()))
    }
}

impl<'a> FromRequest<'a> for LastEventId {
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> Result<Self> {
        Ok(Self::of(request))
    }
}
