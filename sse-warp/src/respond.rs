//! `Sse`, the responder, and `events`, the ready-made filter.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures_core::Stream;
use sse_core::{Hub, Message, SseBody, Subscription, Topics, channel::Sender, response::HEADERS};
use warp::{Filter, Reply, http::HeaderValue, reply::Response};

use crate::{LastEventId, Rejection, last_event_id};

/// An event stream as a reply, with the headers that it needs.
#[derive(Debug)]
#[must_use = "a stream does nothing until a handler returns it"]
pub struct Sse(pub SseBody);

impl Sse {
    /// A subscription as a reply: `Sse::new(hub.subscribe(..).await?)`.
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

impl Reply for Sse {
    fn into_response(self) -> Response {
        let mut response = warp::reply::stream(Pieces(self.0)).into_response();
        for (name, value) in HEADERS {
            response
                .headers_mut()
                .insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

/// The body in the terms of warp.
struct Pieces(SseBody);

impl Stream for Pieces {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.0)
            .poll_next(cx)
            .map(|bytes| bytes.map(Ok))
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
) -> impl Filter<Extract = (Result<Sse, Rejection>,), Error = Infallible> + Clone {
    let topics = topics.into();
    last_event_id().then(move |LastEventId(last)| {
        let hub = hub.clone();
        let subscription = Subscription::to(topics.clone()).resume_from(last);
        async move { Ok(Sse(hub.subscribe(subscription).await?)) }
    })
}
