//! `SseHeaders`, the middleware for handlers that write their own stream.

use poem::{Endpoint, IntoResponse, Middleware, Request, Response, Result, http::HeaderValue};
use sse_core::response::missing_headers;

/// Gives the headers of an event stream to handlers that write their own.
///
/// A response with status 200 and no media type, or that of an event stream, is completed. What the
/// handler has set is kept, and every other response is left alone.
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
        let missing = missing_headers(response.status().as_u16(), false, |name| {
            response.headers().get(name).map(HeaderValue::as_bytes)
        });
        for (name, value) in missing {
            let value = HeaderValue::from_static(value);
            response.headers_mut().insert(name, value);
        }
        Ok(response)
    }
}
