//! `LastEventId`, the request guard.

use std::convert::Infallible;

use rocket::{
    Request,
    request::{FromRequest, Outcome},
};
use sse_core::{ResumeFrom, response::LAST_EVENT_ID};

/// The place at which the client asks to continue: its `Last-Event-ID` header, or the query
/// parameter `lastEventId` from clients that cannot set headers. Never fails.
///
/// Rocket drops a header that is not UTF-8 before an application sees it, and logs that it did.
/// Such a client counts as one without an id: it is not told of a gap. Browsers send UTF-8.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LastEventId(pub ResumeFrom);

impl LastEventId {
    /// Does the guard's work, for a handler that is not a function.
    pub(crate) fn of(request: &Request<'_>) -> Self {
        let header = request.headers().get_one(LAST_EVENT_ID);
        let query = request.uri().query();
        Self(ResumeFrom::from_request(
            header.map(str::as_bytes),
            query.map(|query| query.as_str()),
        ))
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for LastEventId {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Infallible> {
        Outcome::Success(Self::of(request))
    }
}
