//! The requests of an event source, and the headers that it adds to them.

use std::{fmt, pin::Pin, sync::Arc};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Request,
    header::{ACCEPT, CACHE_CONTROL, PRAGMA},
};
use sse_wire::{LAST_EVENT_ID, MEDIA_TYPE};

use crate::{
    BoxError, Error, Report,
    shown::{shown_text, without_secrets},
};

/// The attempt that a request is built for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// The number of failures in a row before it; see
    /// [`Connecting::failures`](crate::Connecting::failures).
    pub failures: u32,
    /// The last event id, empty if there is none. The source itself adds it to the request, as
    /// `Last-Event-ID`.
    pub last_event_id: String,
}

pub(crate) type Built = Pin<Box<dyn Future<Output = Result<Request<Bytes>, BoxError>> + Send>>;

/// The source of the requests.
#[derive(Clone)]
pub(crate) enum Requests {
    /// The same request for each attempt.
    Same(Box<Request<Bytes>>),
    /// A new request for each attempt.
    PerAttempt(Arc<dyn Fn(Attempt) -> Built + Send + Sync>),
    /// None is possible, for the reason that the text gives.
    Malformed(String),
}

impl Requests {
    pub(crate) fn get(url: &str) -> Self {
        let request = url::Url::parse(url)
            .map_err(BoxError::from)
            .and_then(|mut url| {
                // It is not part of the request.
                url.set_fragment(None);
                Ok(Request::get(url.as_str()).body(Bytes::new())?)
            });
        match request {
            Ok(request) => Self::Same(Box::new(request)),
            Err(error) => {
                let report = Report::new(&*error).to_string();
                Self::Malformed(format!("the URL {}: {report}", shown_text(url)))
            }
        }
    }

    pub(crate) async fn build(&self, attempt: Attempt) -> Result<Request<Bytes>, Error> {
        match self {
            Self::Same(request) => Ok(Request::clone(request)),
            Self::PerAttempt(build) => {
                let result = build(attempt).await;
                result.map_err(|error| Error::Build(without_secrets(error)))
            }
            Self::Malformed(why) => Err(Error::Request(why.clone().into())),
        }
    }
}

/// Adds the headers of an event stream that the request does not have yet, and `Last-Event-ID`.
/// Returns the id, and `false` if it has a control character, which a header cannot hold: then none
/// is sent.
///
/// `last_event_id` is `None` as long as neither the stream nor the user has set one: then a header
/// of the request itself says where to start.
pub(crate) fn complete(headers: &mut HeaderMap, last_event_id: Option<String>) -> (String, bool) {
    for (name, value) in [
        (ACCEPT, MEDIA_TYPE),
        // As Fetch does for the cache mode `no-store`.
        (CACHE_CONTROL, "no-cache"),
        (PRAGMA, "no-cache"),
    ] {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    let Some(id) = last_event_id else {
        let own = headers.get(LAST_EVENT_ID).map(HeaderValue::as_bytes);
        return (
            String::from_utf8_lossy(own.unwrap_or_default()).into_owned(),
            true,
        );
    };
    headers.remove(LAST_EVENT_ID);
    if !id.is_empty() {
        // Its UTF-8 bytes, as the standard says: not only ASCII.
        let Ok(value) = HeaderValue::from_bytes(id.as_bytes()) else {
            return (id, false);
        };
        headers.insert(LAST_EVENT_ID, value);
    }
    (id, true)
}

impl fmt::Debug for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Headers, body, password and query may be secrets.
            Self::Same(request) => {
                let url = shown_text(&request.uri().to_string());
                write!(f, "{} {url}", request.method())
            }
            Self::PerAttempt(_) => f.write_str("per attempt"),
            Self::Malformed(why) => f.write_str(why),
        }
    }
}
