//! `Sse`, the responder, and `events`, the ready-made handler.

use std::{io::Cursor, time::Duration};

use rocket::{
    Data, Request, Response, Route,
    futures::{Stream, StreamExt},
    http::Method,
    response::{self, Responder, stream::ReaderStream},
    route::{Handler, Outcome},
};
use sse_core::{Hub, Message, SseBody, Subscription, Topics, channel::Sender, response::HEADERS};

use crate::{LastEventId, Rejection};

/// The block that Rocket fills with messages one after the other; one that no longer fits is cut in two.
/// Four times Rocket's own, so that few are, and still little for each client.
const CHUNK: usize = 16 << 10;

/// An event stream as a response, with the headers that it needs.
#[derive(Debug)]
#[must_use = "a stream does nothing until a handler returns it"]
pub struct Sse(pub SseBody);

impl Sse {
    /// A subscription as a response: `Sse::new(hub.subscribe(..).await?)`.
    pub fn new(body: SseBody) -> Self {
        Self(body)
    }

    /// A stream of its own for this request, without a hub. See [`SseBody::stream`].
    pub fn stream(messages: impl Stream<Item = Message> + Send + 'static) -> Self {
        Self(SseBody::stream(messages))
    }

    /// A stream that a task writes to, holding at most so many messages. See [`SseBody::channel`].
    pub fn channel(capacity: usize) -> (Sender, Self) {
        let (sender, body) = SseBody::channel(capacity);
        (sender, Self(body))
    }

    /// Sets how long there may be silence before a keep-alive. See [`SseBody::keep_alive`].
    pub fn keep_alive(self, interval: impl Into<Option<Duration>>) -> Self {
        Self(self.0.keep_alive(interval))
    }

    /// Ends the stream when a future is ready, such as [`Hub::closed`]. See [`SseBody::until`].
    pub fn until(self, end: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(self.0.until(end))
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
        Outcome::from(request, subscribed.map(Sse).map_err(Rejection::from))
    }
}
