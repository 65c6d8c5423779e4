//! `Sse`, the responder, and `events`, the ready-made filter.

use std::convert::Infallible;

use http_body_util::BodyExt;
use sse_core::{Hub, SseBody, Subscription, Topics, response::fill_headers};
use warp::{Filter, Reply, reply::Response};

use crate::{LastEventId, SseError, last_event_id};

/// An event stream as a reply, with the headers that it needs.
///
/// Made of the body of a subscription, or of one without a hub, [`SseBody::stream`] or
/// [`SseBody::channel`]. Everything about the stream is set on the body.
#[derive(Debug)]
#[must_use = "a stream does nothing until a handler returns it"]
pub struct Sse(pub SseBody);

impl From<SseBody> for Sse {
    fn from(body: SseBody) -> Self {
        Self(body)
    }
}

impl Reply for Sse {
    fn into_response(self) -> Response {
        let mut response = warp::reply::stream(self.0.into_data_stream()).into_response();
        fill_headers(response.status(), response.headers_mut());
        response
    }
}

/// The ready-made filter: streams these topics to everyone who asks.
///
/// ```
/// use sse_warp::{Hub, Joe, events};
/// use warp::Filter;
///
/// let hub = Hub::new(Joe::new());
/// let app = warp::path!("news").and(warp::get()).and(events(hub, "news"));
/// ```
///
/// For topics that depend on the request write a handler: it decides who may read what.
pub fn events(
    hub: Hub,
    topics: impl Into<Topics>,
) -> impl Filter<Extract = (Result<Sse, SseError>,), Error = Infallible> + Clone {
    let topics = topics.into();
    last_event_id().then(move |LastEventId(last)| {
        let hub = hub.clone();
        let subscription = Subscription::to(topics.clone()).resume_from(last);
        async move { Ok(Sse(hub.subscribe(subscription).await?)) }
    })
}
