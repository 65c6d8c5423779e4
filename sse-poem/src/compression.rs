//! `ExceptStreams`, which keeps a compressor away from event streams.

use std::fmt;

use poem::{
    Endpoint, Error, IntoResponse, Middleware, Request, Response, Result, http::StatusCode,
};
use sse_core::response::is_event_stream;

/// A middleware that leaves event streams alone, for poem's `Compression`.
///
/// That one compresses every response that the client accepts compressed: it looks neither at the
/// media type nor at the encoding that a response already has. Streams still arrive message by
/// message, but every client costs a compressor, and none shares bytes with another.
///
/// ```
/// use poem::{EndpointExt, Route, get, middleware::Compression};
/// use sse_poem::{ExceptStreams, Hub, Joe, events};
///
/// let hub = Hub::new(Joe::new());
/// let app = Route::new()
///     .at("/news", get(events(hub, "news")))
///     .with(ExceptStreams(Compression::new()));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct ExceptStreams<M>(pub M);

/// The endpoint that [`ExceptStreams`] puts inside its middleware: streams go past it, as errors
/// do.
#[derive(Clone, Copy, Debug)]
pub struct PassStreams<E>(E);

/// The endpoint that [`ExceptStreams`] puts around its middleware: it takes the streams back.
#[derive(Clone, Copy, Debug)]
pub struct TakeStreams<E>(E);

impl<E, M> Middleware<E> for ExceptStreams<M>
where
    E: Endpoint,
    M: Middleware<PassStreams<E>>,
{
    type Output = TakeStreams<M::Output>;

    fn transform(&self, endpoint: E) -> Self::Output {
        TakeStreams(self.0.transform(PassStreams(endpoint)))
    }
}

impl<E: Endpoint> Endpoint for PassStreams<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let response = self.0.call(request).await?.into_response();
        let media_type = response.content_type().map(str::as_bytes);
        if media_type.is_some_and(is_event_stream) {
            return Err(Error::new(Passing(response), StatusCode::OK));
        }
        Ok(response)
    }
}

impl<E: Endpoint> Endpoint for TakeStreams<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        match self.0.call(request).await {
            Ok(response) => Ok(response.into_response()),
            Err(error) => error.downcast().map(|Passing(response)| response),
        }
    }
}

/// A stream on its way past the middleware.
#[derive(Debug)]
struct Passing(Response);

impl fmt::Display for Passing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event stream, not an error")
    }
}

impl std::error::Error for Passing {}
