//! Server-sent events in terms of HTTP: header names and values, statuses, query parameters, and
//! the answer to a request that is refused.
//!
//! The one place in which they stand. Plain text and numbers, because the frameworks disagree on
//! the version of the `http` crate. With the feature `http` the same in the types of `http` 1 and
//! `http-body` 1, for every server on hyper or tower:
//!
//! * [`SseBody`](crate::SseBody) is an `http_body::Body` and converts into an `http::Response`,
//! * a [`Refusal`] converts into an `http::Response` as well,
//! * `fill_headers` gives a response the headers of an event stream.

mod post;
mod refusal;
#[cfg(feature = "http")]
mod types;

pub use sse_wire::{LAST_EVENT_ID, MEDIA_TYPE, is_event_stream};

#[cfg(feature = "http")]
pub use self::types::fill_headers;
pub use self::{
    post::{InvalidPost, Post},
    refusal::{Answer, Refusal},
};
use crate::{
    error::{PublishError, SubscribeError},
    resume::ResumeFrom,
    topics::Topics,
};

/// The headers of a stream, names in lower case: the media type, and two that keep caches and
/// proxies from holding events back.
///
/// There is no `Connection` header: HTTP/2 forbids it.
pub const HEADERS: [(&str, &str); 3] = [
    (CONTENT_TYPE, MEDIA_TYPE),
    ("cache-control", "no-cache, no-transform"),
    ("x-accel-buffering", "no"),
];

/// The header that keeps a compressor away, for frameworks whose compressor does not know event
/// streams.
pub const NOT_COMPRESSED: (&str, &str) = ("content-encoding", "identity");

/// The query parameters with the same id, from clients that cannot set headers.
pub const LAST_EVENT_ID_PARAMETERS: [&str; 3] = ["lastEventId", "lastEventID", "last_event_id"];

/// The query parameter that names a topic; it may be repeated.
pub const TOPIC_PARAMETER: &str = "topic";

/// The query parameter with the id of a message to publish.
pub const ID_PARAMETER: &str = "id";

/// The query parameter with the type of a message to publish.
pub const EVENT_PARAMETER: &str = "event";

/// The header that goes with status 503, and its value in seconds.
pub const RETRY_AFTER: (&str, &str) = ("retry-after", "5");

/// Returns the headers that a middleware has to add to a response: those of [`HEADERS`] that the
/// handler has not set, and with `is_compressible` [`NOT_COMPRESSED`], for frameworks whose
/// compressor would touch the stream.
///
/// Only a response with status 200 and the media type of an event stream, or none, is completed.
/// Every other response is left alone: there is nothing to add to it.
///
/// `header` looks up a header of the response by its name in lower case.
pub fn missing_headers<'a>(
    status: u16,
    is_compressible: bool,
    header: impl Fn(&str) -> Option<&'a [u8]>,
) -> Vec<(&'static str, &'static str)> {
    if status != OK || !header(CONTENT_TYPE).is_none_or(is_event_stream) {
        return Vec::new();
    }
    let encoding = is_compressible.then_some(NOT_COMPRESSED);
    let headers = HEADERS.into_iter().chain(encoding);
    headers.filter(|(name, _)| header(name).is_none()).collect()
}

const CONTENT_TYPE: &str = "content-type";
const OK: u16 = 200;
const BAD_REQUEST: u16 = 400;
const PRECONDITION_FAILED: u16 = 412;
const CONTENT_TOO_LARGE: u16 = 413;
const INTERNAL_SERVER_ERROR: u16 = 500;
const SERVICE_UNAVAILABLE: u16 = 503;

impl ResumeFrom {
    /// Reads the place at which a request asks to continue: from its `Last-Event-ID` header, or,
    /// without one, from the first of [`LAST_EVENT_ID_PARAMETERS`] in its query.
    ///
    /// The header wins because a browser sends it on a reconnect to the very URL that carries an
    /// older id.
    pub fn from_request(header: Option<&[u8]>, query: Option<&str>) -> Self {
        match header {
            Some(value) if !value.is_empty() => Self::from_bytes(value),
            _ => parameters(query)
                .find(|(name, _)| LAST_EVENT_ID_PARAMETERS.contains(&name.as_ref()))
                .map_or(Self::Latest, |(_, value)| {
                    Self::from_bytes(value.as_bytes())
                }),
        }
    }
}

impl Topics {
    /// Returns the topics that a query names with [`TOPIC_PARAMETER`], or the default topic if it
    /// names none.
    ///
    /// Anyone can write a query: check that the client may read these topics.
    pub fn from_query(query: Option<&str>) -> Self {
        let named = parameters(query).filter(|(name, _)| name == TOPIC_PARAMETER);
        let topics: Self = named.map(|(_, topic)| topic).collect();
        if topics.is_empty() {
            return Self::default();
        }
        topics
    }
}

fn parameters(query: Option<&str>) -> form_urlencoded::Parse<'_> {
    form_urlencoded::parse(query.unwrap_or_default().as_bytes())
}

impl SubscribeError {
    /// Returns the HTTP status of the answer to a client.
    pub fn status(&self) -> u16 {
        match self {
            Self::Closed(_) | Self::Full { .. } => SERVICE_UNAVAILABLE,
            Self::TooManyTopics { .. } | Self::TopicTooLong { .. } => BAD_REQUEST,
            Self::Gap(_) => PRECONDITION_FAILED,
            Self::Store(_) | Self::Provider(_) | Self::NoClock => INTERNAL_SERVER_ERROR,
        }
    }

    /// Returns the text for a client: the error itself, or less where the engine has failed,
    /// because a client must not learn of its paths and passwords.
    pub fn public_text(&self) -> String {
        match self {
            Self::Store(_) | Self::Provider(_) | Self::NoClock => {
                "the event stream is not available".to_owned()
            }
            other => other.to_string(),
        }
    }
}

impl PublishError {
    /// Returns the HTTP status of the answer to a client.
    pub fn status(&self) -> u16 {
        match self {
            Self::Closed(_) => SERVICE_UNAVAILABLE,
            Self::Empty
            | Self::IdTooLong { .. }
            | Self::TypeTooLong { .. }
            | Self::TooManyTopics { .. }
            | Self::TopicTooLong { .. }
            | Self::ReservedType => BAD_REQUEST,
            Self::TooLarge { .. } => CONTENT_TOO_LARGE,
            Self::Store(_) | Self::Provider(_) => INTERNAL_SERVER_ERROR,
        }
    }

    /// Returns the text for a client: the error itself, or less where the engine has failed,
    /// because a client must not learn of its paths and passwords.
    pub fn public_text(&self) -> String {
        match self {
            Self::Store(_) | Self::Provider(_) => "the message could not be published".to_owned(),
            other => other.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{HEADERS, NOT_COMPRESSED, missing_headers};

    fn missing(status: u16, set: &[(&str, &'static str)]) -> Vec<(&'static str, &'static str)> {
        let header = |name: &str| {
            let (_, value) = set.iter().find(|(it, _)| *it == name)?;
            Some(value.as_bytes())
        };
        missing_headers(status, false, header)
    }

    #[test]
    fn an_event_stream_is_completed() {
        assert_eq!(missing(200, &[]), HEADERS);
        for media_type in ["text/event-stream", "Text/Event-Stream ; charset=utf-8"] {
            assert_eq!(missing(200, &[("content-type", media_type)]), HEADERS[1..]);
        }
        let all = missing_headers(200, true, |_| None);
        assert_eq!(all.last(), Some(&NOT_COMPRESSED));
    }

    #[test]
    fn what_is_set_is_kept() {
        let set = [("cache-control", "no-store"), ("content-encoding", "br")];
        assert_eq!(missing(200, &set), [HEADERS[0], HEADERS[2]]);
    }

    #[test]
    fn other_responses_are_left_alone() {
        assert_eq!(missing(204, &[]), []);
        assert_eq!(missing(404, &[("content-type", "text/event-stream")]), []);
        for media_type in ["text/plain", "text/event-stream2", ""] {
            assert_eq!(missing(200, &[("content-type", media_type)]), []);
        }
    }
}
