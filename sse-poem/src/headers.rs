//! `SseHeaders`, the middleware for handlers that write their own stream.

use poem::{Endpoint, IntoResponse, Middleware, Request, Response, Result};
use sse_core::response::fill_headers;

/// Gives the headers of an event stream to handlers that write their own stream.
///
/// A response with status 200 and no media type, or that of an event stream, is completed. Headers
/// that the handler has set are kept, and every other response is left alone.
///
/// ```
/// use poem::{Body, EndpointExt, Route, get, handler};
/// use sse_poem::SseHeaders;
///
/// #[handler]
/// fn status() -> Body {
///     "data: ok\n\n".into()
/// }
///
/// let app = Route::new().at("/status", get(status).with(SseHeaders));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SseHeaders;

/// The endpoint that [`SseHeaders`] wraps around a handler.
#[derive(Clone, Copy, Debug)]
pub struct SseHeadersEndpoint<E>(E);

impl<E: Endpoint> Middleware<E> for SseHeaders {
    type Output = SseHeadersEndpoint<E>;

    fn transform(&self, endpoint: E) -> Self::Output {
        SseHeadersEndpoint(endpoint)
    }
}

impl<E: Endpoint> Endpoint for SseHeadersEndpoint<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let mut response = self.0.call(request).await?.into_response();
        // poem's compressor looks at no header of the response: `ExceptStreams` keeps it away.
        fill_headers(response.status(), response.headers_mut());
        Ok(response)
    }
}
