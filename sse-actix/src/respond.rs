//! `Sse`, the responder, and `events`, the ready-made handler.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use actix_web::{
    HttpRequest, HttpResponse, Responder,
    body::{BodySize, BoxBody, MessageBody},
    http::{ConnectionType, Method, Version},
    web::Bytes,
};
use futures_core::Stream;
use sse_core::{
    Hub, Message, SseBody, Subscription, Topics,
    channel::Sender,
    response::{HEADERS, NOT_COMPRESSED},
};

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

impl Responder for Sse {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let mut body = self.0;
        if request.method() == Method::HEAD {
            // actix-http reads the body even of an answer that has none, and would never finish.
            (_, body) = SseBody::channel(1);
        }
        let mut response = HttpResponse::Ok();
        for header in HEADERS.into_iter().chain([NOT_COMPRESSED]) {
            response.insert_header(header);
        }
        let mut response = response.body(HttpBody(body));
        if request.version() < Version::HTTP_11 {
            // actix-http would send chunks, which HTTP/1.0 does not know: there the connection ends the body.
            let head = response.head_mut();
            head.no_chunking(true);
            head.set_connection_type(ConnectionType::Close);
        }
        response
    }
}

/// The body in the terms of actix-web.
struct HttpBody(SseBody);

impl MessageBody for HttpBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        Pin::new(&mut self.0)
            .poll_next(cx)
            .map(|bytes| bytes.map(Ok))
    }
}

/// The ready-made handler: streams these topics to everyone who asks.
///
/// ```
/// use actix_web::{App, web};
/// use sse_actix::{Hub, Joe, events};
///
/// let hub = Hub::new(Joe::new());
/// let app = App::new().route("/news", web::get().to(events(hub, "news")));
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
