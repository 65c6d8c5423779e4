//! `Sse`, the responder, and `events`, the ready-made handler.

use std::{convert::Infallible, pin::Pin};

use actix_web::{
    HttpRequest, HttpResponse, Responder,
    body::{BodyStream, BoxBody},
    http::{ConnectionType, Method, Version},
};
use futures_util::StreamExt;
use sse_core::{
    Hub, SseBody, Subscription, Topics,
    response::{HEADERS, NOT_COMPRESSED},
};

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
        let mut response = response.body(BodyStream::new(body.map(Ok::<_, Infallible>)));
        if request.version() < Version::HTTP_11 {
            // actix-http would send chunks, which HTTP/1.0 does not know: there the connection ends
            // the body.
            let head = response.head_mut();
            head.no_chunking(true);
            head.set_connection_type(ConnectionType::Close);
        }
        response
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

/// The future that [`events`] answers with.
type Subscribing = Pin<Box<dyn Future<Output = Result<Sse, SseError>> + Send>>;
