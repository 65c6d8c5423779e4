//! `Sse`, the responder, and `events`, the ready-made handler.

use std::io::Cursor;

use rocket::{
    Data, Request, Response, Route,
    futures::StreamExt,
    http::Method,
    response::{self, Responder, stream::ReaderStream},
    route::{Handler, Outcome},
};
use sse_core::{Hub, SseBody, Subscription, Topics, response::HEADERS};

use crate::{LastEventId, SseError};

/// The block that Rocket fills with messages one after the other; one that no longer fits is cut in
/// two. Four times Rocket's own, so that few are, and still little for each client.
const CHUNK: usize = 16 << 10;

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

impl<'r> Responder<'r, 'static> for Sse {
    fn respond_to(self, _request: &'r Request<'_>) -> response::Result<'static> {
        let mut response = Response::build();
        for (name, value) in HEADERS {
            response.raw_header(name, value);
        }
        // One read gives one piece of the body, or as much of it as fits.
        let reader = ReaderStream::from(self.0.map(Cursor::new));
        response.max_chunk_size(CHUNK).streamed_body(reader).ok()
    }
}

/// The ready-made handler: streams these topics to everyone who asks.
///
/// ```
/// use sse_rocket::{Hub, HubFairing, Joe, events};
///
/// let hub = Hub::new(Joe::new());
/// let app = rocket::build()
///     .attach(HubFairing(hub.clone()))
///     .mount("/news", events(hub, "news"));
/// ```
///
/// For topics that depend on the request write a handler: it decides who may read what.
pub fn events(hub: Hub, topics: impl Into<Topics>) -> Vec<Route> {
    let topics = topics.into();
    vec![Route::new(Method::Get, "/", Events { hub, topics })]
}

#[derive(Clone)]
struct Events {
    hub: Hub,
    topics: Topics,
}

#[rocket::async_trait]
impl Handler for Events {
    async fn handle<'r>(&self, request: &'r Request<'_>, _data: Data<'r>) -> Outcome<'r> {
        let LastEventId(last) = LastEventId::of(request);
        let subscription = Subscription::to(self.topics.clone()).resume_from(last);
        let subscribed = self.hub.subscribe(subscription).await;
        Outcome::from(request, subscribed.map(Sse).map_err(SseError::from))
    }
}
