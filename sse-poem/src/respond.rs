//! `Sse`, the responder, and `events`, the ready-made handler.

use std::{io, time::Duration};

use futures_util::{Stream, StreamExt};
use poem::{Body, Endpoint, IntoResponse, Request, Response, endpoint::make};
use sse_core::{Hub, Message, SseBody, Subscription, Topics, channel::Sender, response::HEADERS};

use crate::{LastEventId, Rejection};

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

impl IntoResponse for Sse {
    fn into_response(self) -> Response {
        let head = HEADERS
            .into_iter()
            .fold(Response::builder(), |head, (name, value)| {
                head.header(name, value)
            });
        head.body(Body::from_bytes_stream(self.0.map(Ok::<_, io::Error>)))
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
        async move { Ok::<_, Rejection>(Sse(hub.subscribe(subscription).await?)) }
    })
}
