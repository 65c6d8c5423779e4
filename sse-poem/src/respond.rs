//! `Sse`, the responder, and `events`, the ready-made handler.

use std::io;

use futures_util::StreamExt;
use poem::{Body, Endpoint, IntoResponse, Request, Response, endpoint::make};
use sse_core::{Hub, SseBody, Subscription, Topics, response::fill_headers};

use crate::{LastEventId, SseError};

/// An event stream as a response, with the headers that it needs.
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

impl IntoResponse for Sse {
    fn into_response(self) -> Response {
        let body = Body::from_bytes_stream(self.0.map(Ok::<_, io::Error>));
        let mut response = Response::from(body);
        fill_headers(response.status(), response.headers_mut());
        response
    }
}

/// The ready-made handler: streams these topics to everyone who asks.
///
/// ```
/// use poem::{Route, get};
/// use sse_poem::{Hub, Joe, events};
///
/// let hub = Hub::new(Joe::new());
/// let app = Route::new().at("/news", get(events(hub, "news")));
/// ```
///
/// For topics that depend on the request write a handler: it decides who may read what.
pub fn events(hub: Hub, topics: impl Into<Topics>) -> impl Endpoint<Output = Sse> + 'static {
    let topics = topics.into();
    make(move |request: Request| {
        let hub = hub.clone();
        let LastEventId(last) = LastEventId::of(&request);
        let subscription = Subscription::to(topics.clone()).resume_from(last);
        async move { Ok::<_, SseError>(Sse(hub.subscribe(subscription).await?)) }
    })
}
