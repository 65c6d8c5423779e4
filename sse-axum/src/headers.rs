//! `SseHeaders`, the middleware for handlers that write their own stream.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::{HeaderName, HeaderValue, Request, Response};
use pin_project_lite::pin_project;
use sse_core::response::missing_headers;
use tower_layer::Layer;
use tower_service::Service;

/// Gives the headers of an event stream to handlers that write their own.
///
/// A response with status 200 and no media type, or that of an event stream, is completed. What the
/// handler has set is kept, and every other response is left alone.
///
/// ```
/// use axum::{Router, body::Body, routing::get};
/// use sse_axum::SseHeaders;
///
/// let app: Router = Router::new()
///     .route("/status", get(|| async { Body::from("data: ok\n\n") }))
///     .layer(SseHeaders);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SseHeaders;

/// The service that [`SseHeaders`] wraps around a handler.
#[derive(Clone, Copy, Debug)]
pub struct SseHeadersService<S> {
    inner: S,
}

impl<S> Layer<S> for SseHeaders {
    type Service = SseHeadersService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        SseHeadersService { inner }
    }
}

impl<S, RequestBody, ResponseBody> Service<Request<RequestBody>> for SseHeadersService<S>
where
    S: Service<Request<RequestBody>, Response = Response<ResponseBody>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = WithHeaders<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        WithHeaders {
            inner: self.inner.call(request),
        }
    }
}

pin_project! {
    /// The response that [`SseHeadersService`] is waiting for.
    #[derive(Debug)]
    pub struct WithHeaders<F> {
        #[pin]
        inner: F,
    }
}

impl<F, B, E> Future for WithHeaders<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut response = ready!(self.project().inner.poll(cx));
        if let Ok(response) = &mut response {
            complete(response);
        }
        Poll::Ready(response)
    }
}

fn complete<B>(response: &mut Response<B>) {
    // tower's compressor leaves event streams alone.
    let missing = missing_headers(response.status().as_u16(), false, |name| {
        response.headers().get(name).map(HeaderValue::as_bytes)
    });
    for (name, value) in missing {
        let name = HeaderName::from_static(name);
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
}
