//! How requests are sent.

#[cfg(feature = "reqwest")]
mod reqwest;

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;

use crate::BoxError;

#[cfg(feature = "reqwest")]
pub(crate) use self::reqwest::{default_client, parts};

/// The body of a response: make one with `http_body_util::BodyExt::boxed_unsync`.
pub type Body = UnsyncBoxBody<Bytes, BoxError>;

/// Sends requests: reqwest, another HTTP client, or a test.
///
/// [`EventSource`](crate::EventSource) follows redirects and checks the response itself; a transport should do neither.
/// One that follows redirects anyway says where they led by a `url::Url` in the extensions of the response.
/// Dropping the future that `send` returns, or the body of its response, ends the request.
///
/// With hyper's own client, for example:
///
/// ```
/// # use bytes::Bytes;
/// use http_body_util::{BodyExt, Full};
/// use hyper_util::client::legacy::{Client, connect::HttpConnector};
/// use sse_client::{Body, BoxError, Transport, TransportError};
///
/// struct Hyper(Client<HttpConnector, Full<Bytes>>);
///
/// #[async_trait::async_trait]
/// impl Transport for Hyper {
///     async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Body>, TransportError> {
///         let response = self.0.request(request.map(Full::new)).await;
///         let response = response.map_err(TransportError::new)?;
///         Ok(response.map(|body| body.map_err(BoxError::from).boxed_unsync()))
///     }
/// }
/// ```
#[async_trait]
pub trait Transport: Send + Sync + 'static {
    /// Sends a request and waits for the head of its response, whatever that says.
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Body>, TransportError>;
}

/// Why there is no response.
#[derive(Debug, thiserror::Error)]
#[error("{}", with_sources(&**source))]
pub struct TransportError {
    source: BoxError,
    futile: bool,
}

impl TransportError {
    /// The network failed, or the server did: another attempt may succeed.
    pub fn new(error: impl Into<BoxError>) -> Self {
        Self {
            source: error.into(),
            futile: false,
        }
    }

    /// The request can never succeed, such as one with an unknown scheme: it is not attempted again.
    pub fn futile(error: impl Into<BoxError>) -> Self {
        Self {
            source: error.into(),
            futile: true,
        }
    }

    pub(crate) fn is_futile(&self) -> bool {
        self.futile
    }
}

/// The text of an error with those of its causes: what went wrong in a network stands in the innermost.
pub(crate) fn with_sources(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}
