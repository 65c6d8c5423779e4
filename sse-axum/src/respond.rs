//! `Sse`, the responder, and `events`, the ready-made handler.

use std::pin::Pin;

use axum_core::response::{IntoResponse, Response};
use sse_core::{Hub, SseBody, Subscription, Topics};

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
        http::Response::from(self.0).into_response()
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

/// The future that [`events`] answers with.
type Subscribing = Pin<Box<dyn Future<Output = Result<Sse, SseError>> + Send>>;
