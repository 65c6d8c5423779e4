//! The HTTP client under an event source.

use std::{error::Error, fmt};

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;

use crate::{BoxError, shown::without_secrets};

/// The body of a response: make one with `http_body_util::BodyExt::boxed_unsync`.
pub type Body = UnsyncBoxBody<Bytes, BoxError>;

/// An HTTP client that sends requests: reqwest, another client, or a test.
///
/// A transport neither follows redirects nor checks the response:
/// [`EventSource`](crate::EventSource) does both. One that follows redirects anyway reports the
/// last URL as a `url::Url` in the extensions of the response. Dropping the future that `send`
/// returns, or the body of its response, ends the request.
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
///     async fn send(
///         &self,
///         request: http::Request<Bytes>,
///     ) -> Result<http::Response<Body>, TransportError> {
///         let response = self.0.request(request.map(Full::new)).await;
///         let response = response.map_err(TransportError::new)?;
///         Ok(response.map(|body| body.map_err(BoxError::from).boxed_unsync()))
///     }
/// }
/// ```
#[async_trait]
pub trait Transport: Send + Sync + 'static {
    /// Sends a request and waits for the head of its response, of any status.
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Body>, TransportError>;

    /// Makes sure that no later request uses a connection that is open now: nothing has come from
    /// one of them for too long, and it may be dead. Open streams need not end.
    ///
    /// Does nothing by default, which is right for HTTP/1.1: there the connection ends with the
    /// request. HTTP/2 keeps it.
    fn abandon_connections(&self) {}
}

/// The reason why there is no response: the error of an HTTP client, with its text and its
/// [`source`](Error::source). The URL that an error of reqwest shows loses its query and its
/// password, where API keys stand.
#[derive(Debug)]
pub struct TransportError {
    error: BoxError,
    is_permanent: bool,
}

impl TransportError {
    /// A failure of the network or the server: another attempt may succeed.
    pub fn new(error: impl Into<BoxError>) -> Self {
        Self {
            error: without_secrets(error),
            is_permanent: false,
        }
    }

    /// A permanent failure: the request can never succeed, such as one with an unknown scheme, and
    /// is not attempted again.
    pub fn permanent(error: impl Into<BoxError>) -> Self {
        Self {
            error: without_secrets(error),
            is_permanent: true,
        }
    }

    /// Returns `true` if another attempt would fail in the same way.
    pub fn is_permanent(&self) -> bool {
        self.is_permanent
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl Error for TransportError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}
