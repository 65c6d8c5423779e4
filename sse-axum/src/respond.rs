//! `Sse`, the responder, and `events`, the ready-made handler.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum_core::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_core::Stream;
use http_body::Frame;
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
        (HEADERS, Body::new(HttpBody(self.0))).into_response()
    }
}

/// The body in the terms of the `http-body` crate.
struct HttpBody(SseBody);

impl http_body::Body for HttpBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let bytes = Pin::new(&mut self.0).poll_next(cx);
        bytes.map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}

/// The ready-made handler: streams these topics to everyone who asks.
///
/// ```
/// use axum::{Router, routing::get};
/// use sse_axum::{Hub, Joe, events};
///
/// let hub = Hub::new(Joe::new());
/// let app: Router = Router::new().route("/news", get(events(hub, "news")));
/// ```
///
/// For topics that depend on the request write a handler: it decides who may read what.
pub fn events(
    hub: Hub,
    topics: impl Into<Topics>,
) -> impl Fn(LastEventId) -> Subscribing + Clone + Send + Sync + 'static {
    let topics = topics.into();
    move |LastEventId(last)| {
        let hub = hub.clone();
        let subscription = Subscription::to(topics.clone()).resume_from(last);
        Box::pin(async move { Ok(Sse(hub.subscribe(subscription).await?)) })
    }
}

/// What [`events`] answers with.
type Subscribing = Pin<Box<dyn Future<Output = Result<Sse, Rejection>> + Send>>;
