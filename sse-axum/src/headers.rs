//! `SseHeadersLayer`, the middleware for handlers that write their own stream.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::{Request, Response};
use pin_project_lite::pin_project;
use sse_core::response::fill_headers;
use tower_layer::Layer;
use tower_service::Service;

/// Gives the headers of an event stream to handlers that write their own stream.
///
/// A response with status 200 and no media type, or that of an event stream, is completed. Headers
/// that the handler has set are kept, and every other response is left alone.
///
/// ```
/// use axum::{Router, body::Body, routing::get};
/// use sse_axum::SseHeadersLayer;
///
/// let app: Router = Router::new()
///     .route("/status", get(|| async { Body::from("data: ok\n\n") }))
///     .layer(SseHeadersLayer);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SseHeadersLayer;

/// The service that [`SseHeadersLayer`] wraps around a handler.
#[derive(Clone, Copy, Debug)]
pub struct SseHeaders<S> {
    inner: S,
}

impl<S> Layer<S> for SseHeadersLayer {
    type Service = SseHeaders<S>;

    fn layer(&self, inner: S) -> Self::Service {
        SseHeaders { inner }
    }
}

impl<S, RequestBody, ResponseBody> Service<Request<RequestBody>> for SseHeaders<S>
where
    S: Service<Request<RequestBody>, Response = Response<ResponseBody>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        ResponseFuture {
            inner: self.inner.call(request),
        }
    }
}

pin_project! {
    /// The response future of [`SseHeaders`].
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut response = ready!(self.project().inner.poll(cx));
        if let Ok(response) = &mut response {
            // Nothing keeps a compressor away: that of tower leaves event streams alone.
            fill_headers(response.status(), response.headers_mut());
        }
        Poll::Ready(response)
    }
}
