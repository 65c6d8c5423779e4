//! `SseHeaders`, the middleware for handlers that write their own stream.

use std::{
    future::{Future, Ready, ready},
    pin::Pin,
};

use actix_web::{
    Error,
    dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready},
    http::header::{HeaderName, HeaderValue},
};
use sse_core::response::missing_headers;

/// Gives the headers of an event stream to handlers that write their own stream.
///
/// A response with status 200 and no media type, or that of an event stream, is completed. Headers
/// that the handler has set are kept, and every other response is left alone.
///
/// ```
/// use actix_web::{App, HttpResponse, web};
/// use sse_actix::SseHeaders;
///
/// let status = web::resource("/status")
///     .wrap(SseHeaders)
///     .get(|| async { HttpResponse::Ok().body("data: ok\n\n") });
/// let app = App::new().service(status);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SseHeaders;

/// The service that [`SseHeaders`] wraps around a handler.
#[derive(Clone, Copy, Debug)]
pub struct SseHeadersMiddleware<S> {
    inner: S,
}

impl<S, B> Transform<S, ServiceRequest> for SseHeaders
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    S::Future: 'static,
{
    type Response = S::Response;
    type Error = Error;
    type Transform = SseHeadersMiddleware<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(SseHeadersMiddleware { inner }))
    }
}

impl<S, B> Service<ServiceRequest> for SseHeadersMiddleware<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    S::Future: 'static,
{
    type Response = S::Response;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, Error>>>>;

    forward_ready!(inner);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let response = self.inner.call(request);
        Box::pin(async move {
            let mut response = response.await?;
            complete(&mut response);
            Ok(response)
        })
    }
}

fn complete<B>(response: &mut ServiceResponse<B>) {
    let missing = missing_headers(response.status().as_u16(), true, |name| {
        response.headers().get(name).map(HeaderValue::as_bytes)
    });
    for (name, value) in missing {
        let name = HeaderName::from_static(name);
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
}
