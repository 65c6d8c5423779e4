//! The same in the types of `http` and `http-body`, for servers on hyper and tower.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use ::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use bytes::Bytes;
use futures_core::Stream;
use http_body::{Body, Frame};

use super::{Refusal, missing_headers};
use crate::body::SseBody;

/// Gives a response the headers of an event stream.
///
/// Only a response with status 200 and the media type of an event stream, or none, is completed;
/// headers that it has are kept. Every other response is left alone.
///
/// ```
/// use sse_core::response::fill_headers;
///
/// let mut response = http::Response::new("data: written by hand\n\n");
/// fill_headers(response.status(), response.headers_mut());
/// assert_eq!(response.headers()["content-type"], "text/event-stream");
/// ```
pub fn fill_headers(status: StatusCode, headers: &mut HeaderMap) {
    let missing = missing_headers(status.as_u16(), false, |name| {
        headers.get(name).map(HeaderValue::as_bytes)
    });
    insert(missing, headers);
}

fn insert(pairs: impl IntoIterator<Item = (&'static str, &'static str)>, headers: &mut HeaderMap) {
    for (name, value) in pairs {
        let name = HeaderName::from_static(name);
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// Each frame is what one poll of the stream gives.
impl Body for SseBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.poll_next(cx)
            .map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}

/// The whole response: status 200, the headers of an event stream, and the stream.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use http::Response;
/// use sse_core::{Hub, Joe, SseBody};
///
/// let hub = Hub::new(Joe::new());
/// // In the service of hyper, or of whatever speaks `http_body::Body`.
/// let response: Response<SseBody> = hub.subscribe("news").await?.into();
/// assert_eq!(response.headers()["content-type"], "text/event-stream");
/// # Ok(()) }
/// ```
impl From<SseBody> for Response<SseBody> {
    fn from(body: SseBody) -> Self {
        let mut response = Self::new(body);
        fill_headers(response.status(), response.headers_mut());
        response
    }
}

/// The whole response, from the [`Answer`](super::Answer).
impl From<&Refusal> for Response<String> {
    fn from(refusal: &Refusal) -> Self {
        let answer = refusal.answer();
        let mut response = Self::new(answer.body);
        *response.status_mut() =
            StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        insert(answer.headers, response.headers_mut());
        response
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;
    use crate::{
        error::{PublishError, SubscribeError},
        response::{HEADERS, RETRY_AFTER},
        wire::Message,
    };

    fn headers<B>(response: &Response<B>) -> Vec<(&str, &str)> {
        let pairs = response.headers().iter();
        pairs
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
            .collect()
    }

    #[tokio::test]
    async fn a_body_is_a_response_whose_frames_are_its_pieces() {
        let (sender, body) = SseBody::channel(1);
        let mut response = Response::from(body);
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(headers(&response), HEADERS);
        let mut frame = async || {
            let body = response.body_mut();
            let frame = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await?;
            let Ok(frame) = frame;
            Some(frame.into_data().unwrap())
        };
        assert_eq!(frame().await.unwrap(), ":\n");
        sender.send(Message::data("hello")).await.unwrap();
        assert_eq!(frame().await.unwrap(), "data: hello\n\n");
        drop(sender);
        assert_eq!(frame().await, None);
    }

    #[test]
    fn a_response_keeps_what_the_handler_has_set() {
        let mut response = Response::new(());
        let no_store = HeaderValue::from_static("no-store");
        response.headers_mut().insert("cache-control", no_store);
        fill_headers(response.status(), response.headers_mut());
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert_eq!(response.headers().len(), HEADERS.len());

        let mut refused = Response::new(());
        *refused.status_mut() = StatusCode::FORBIDDEN;
        fill_headers(refused.status(), refused.headers_mut());
        assert!(refused.headers().is_empty());
    }

    #[test]
    fn a_refusal_is_a_response_with_status_headers_and_text() {
        let full = SubscribeError::Full { limit: 1 };
        let refusal = Refusal::from(full);
        let survived = Response::from(&refusal);
        assert_eq!(survived.status(), StatusCode::OK);
        assert_eq!(headers(&survived), HEADERS);

        let refused = Response::from(&refusal.with_status());
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(refused.headers()[RETRY_AFTER.0], RETRY_AFTER.1);

        let refused = Response::from(&PublishError::Empty.into());
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
        assert!(refused.body().contains("the message is empty"));
    }
}
