//! Where requests come from, and what an event source adds to them.

use std::{fmt, pin::Pin, sync::Arc};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Request,
    header::{ACCEPT, CACHE_CONTROL, PRAGMA},
};
use sse_wire::{LAST_EVENT_ID, MEDIA_TYPE};

use super::Error;
use crate::BoxError;

/// What a request is built for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// How many connections and attempts in a row have come to an end before it: 0 at first, 1 after a healthy connection.
    pub failures: u32,
    /// The last event id. It is sent as `Last-Event-ID` without further ado; empty if there is none.
    pub last_event_id: String,
}

pub(super) type Built = Pin<Box<dyn Future<Output = Result<Request<Bytes>, BoxError>> + Send>>;

/// Where requests come from.
#[derive(Clone)]
pub(super) enum Requests {
    /// The same for each attempt.
    Same(Box<Request<Bytes>>),
    /// Built anew for each.
    PerAttempt(Arc<dyn Fn(Attempt) -> Built + Send + Sync>),
    /// There cannot be any; the text says why.
    Malformed(String),
}

impl Requests {
    pub(super) fn get(url: &str) -> Self {
        let request = url::Url::parse(url)
            .map_err(BoxError::from)
            .and_then(|mut url| {
                // Not part of what is requested.
                url.set_fragment(None);
                Ok(Request::get(url.as_str()).body(Bytes::new())?)
            });
        match request {
            Ok(request) => Self::Same(Box::new(request)),
            Err(error) => Self::Malformed(format!("the URL {url:?}: {error}")),
        }
    }

    pub(super) async fn build(&self, attempt: Attempt) -> Result<Request<Bytes>, Error> {
        match self {
            Self::Same(request) => Ok(Request::clone(request)),
            Self::PerAttempt(build) => build(attempt).await.map_err(Error::Build),
            Self::Malformed(why) => Err(Error::Request(why.clone().into())),
        }
    }
}

/// Adds the headers of an event stream where the request has none of its own, and `Last-Event-ID`.
///
/// `last_event_id` is nothing as long as neither the stream nor the user has set one: then a header in the first request is the
/// place to start from. Returns the id that is sent.
pub(super) fn complete(
    headers: &mut HeaderMap,
    last_event_id: Option<String>,
) -> Result<String, Error> {
    for (name, value) in [
        (ACCEPT, MEDIA_TYPE),
        // What Fetch sends for the cache mode `no-store`.
        (CACHE_CONTROL, "no-cache"),
        (PRAGMA, "no-cache"),
    ] {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    let Some(id) = last_event_id else {
        let own = headers.get(LAST_EVENT_ID).map(HeaderValue::as_bytes);
        return Ok(String::from_utf8_lossy(own.unwrap_or_default()).into_owned());
    };
    headers.remove(LAST_EVENT_ID);
    if !id.is_empty() {
        // Its UTF-8 bytes, as the standard says: not only ASCII.
        let Ok(value) = HeaderValue::from_bytes(id.as_bytes()) else {
            return Err(Error::LastEventId { id });
        };
        headers.insert(LAST_EVENT_ID, value);
    }
    Ok(id)
}

impl fmt::Debug for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Only what can be no secret: not headers and body, nor a password or a query in the URL.
            Self::Same(request) => {
                let host = request.uri().host().unwrap_or_default();
                write!(f, "{} {host}{}", request.method(), request.uri().path())
            }
            Self::PerAttempt(_) => f.write_str("per attempt"),
            Self::Malformed(why) => f.write_str(why),
        }
    }
}
