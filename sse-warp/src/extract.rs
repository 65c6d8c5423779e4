//! `LastEventId` and the filter that extracts it.

use std::convert::Infallible;

use sse_core::{ResumeFrom, response::LAST_EVENT_ID};
use warp::{Filter, http::HeaderValue};

/// The place at which the client asks to continue: its `Last-Event-ID` header, or the query
/// parameter `lastEventId` from clients that cannot set headers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LastEventId(pub ResumeFrom);

/// Extracts [`LastEventId`]. Never rejects.
pub fn last_event_id() -> impl Filter<Extract = (LastEventId,), Error = Infallible> + Clone {
    // Raw: warp's own filters reject values that are not ASCII, and requests without a query.
    let header = warp::header::value(LAST_EVENT_ID)
        .map(Some)
        .or(warp::any().map(|| None))
        .unify();
    let query = warp::query::raw()
        .map(Some)
        .or(warp::any().map(|| None))
        .unify();
    header
        .and(query)
        .map(|header: Option<HeaderValue>, query: Option<String>| {
            let header = header.as_ref().map(HeaderValue::as_bytes);
            LastEventId(ResumeFrom::from_request(header, query.as_deref()))
        })
}
