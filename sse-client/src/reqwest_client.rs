//! reqwest as the transport.

use std::{
    fmt,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use http::{header::AUTHORIZATION, uri::Scheme};
use http_body_util::BodyExt as _;
use reqwest::{Client, ClientBuilder, RequestBuilder, redirect::Policy};

#[cfg(feature = "tls")]
use crate::Report;
use crate::{Body, BoxError, Transport, TransportError};

/// The time limit for making a connection. Nothing limits how long it lasts.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// The time between two pings of an HTTP/2 connection with open streams.
#[cfg(feature = "http2")]
const PING_INTERVAL: Duration = Duration::from_secs(30);

/// The time for the answer to a ping, after which the connection is closed.
#[cfg(feature = "http2")]
const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// A client of your own follows redirects by its own policy, which sends all headers but the
/// well-known credentials to other servers. If you build it with `redirect::Policy::none()`, the
/// [`EventSource`](crate::EventSource) follows them. A total `timeout` would cut streams off. For
/// HTTP/2 set `http2_keep_alive_interval`, or use a [`RenewedClient`]: otherwise a dead connection
/// is used again and again.
#[async_trait]
impl Transport for Client {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Body>, TransportError> {
        let mut request = reqwest::Request::try_from(request).map_err(TransportError::permanent)?;
        send_credentials(self, &mut request).map_err(TransportError::permanent)?;
        let response = self.execute(request).await.map_err(|error| {
            // A loop of redirects that the client itself follows stays one.
            if error.is_builder() || error.is_redirect() {
                TransportError::permanent(error)
            } else {
                TransportError::new(error)
            }
        })?;
        let url = response.url().clone();
        let mut response = http::Response::<reqwest::Body>::from(response);
        response.extensions_mut().insert(url);
        Ok(response.map(|body| body.map_err(BoxError::from).boxed_unsync()))
    }
}

/// A reqwest client that is built again once a connection of it has gone silent. Available with
/// feature `reqwest`.
///
/// A pool hands an HTTP/2 connection to every request for as long as it looks open, and one whose
/// peer has vanished looks open for minutes. With a `reqwest::Client` as the transport each attempt
/// would use it again: [`idle_timeout`](crate::EventSource::idle_timeout) ends the stream, but
/// nothing closes the connection, unless the client sends pings (`http2_keep_alive_interval`). This
/// transport starts again with an empty pool. Streams that are open stay so.
///
/// It is the default transport, one for the whole process, with pings. Use it with settings of your
/// own:
///
/// ```
/// use sse_client::{EventSource, RenewedClient, reqwest::{Client, redirect::Policy}};
///
/// let transport = RenewedClient::new(|| {
///     Client::builder().redirect(Policy::none()).user_agent("example")
/// });
/// let source = EventSource::get("https://example.org/events").transport(transport);
/// ```
///
/// Where the system has no CA certificates, as in a slim container, HTTP works and HTTPS fails with
/// the reason (with feature `tls`; without, nothing works there).
pub struct RenewedClient {
    configure: Box<dyn Fn() -> ClientBuilder + Send + Sync>,
    current: Mutex<Option<Built>>,
}

/// A client, and the reason why it can use no TLS if that is so.
#[derive(Clone)]
struct Built {
    client: Client,
    no_tls: Option<Arc<str>>,
}

impl RenewedClient {
    /// Wraps the settings. A client is built for the first request.
    pub fn new(configure: impl Fn() -> ClientBuilder + Send + Sync + 'static) -> Self {
        Self {
            configure: Box::new(configure),
            current: Mutex::default(),
        }
    }

    fn current(&self) -> reqwest::Result<Built> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(built) = &*current {
            return Ok(built.clone());
        }
        let built = self.build()?;
        Ok(current.insert(built).clone())
    }

    fn build(&self) -> reqwest::Result<Built> {
        let client = (self.configure)().build();
        #[cfg(feature = "tls")]
        if let Err(error) = &client
            && let Ok(client) = (self.configure)().tls_certs_only([]).build()
        {
            // Without certificates it can be built: it is they that are missing.
            let no_tls = Some(Report::new(error).to_string().into());
            return Ok(Built { client, no_tls });
        }
        Ok(Built {
            client: client?,
            no_tls: None,
        })
    }
}

#[async_trait]
impl Transport for RenewedClient {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Body>, TransportError> {
        let built = self.current().map_err(TransportError::permanent)?;
        match built.no_tls {
            Some(why) if request.uri().scheme() == Some(&Scheme::HTTPS) => {
                let why = format!("HTTPS is not possible here: {why}");
                Err(TransportError::permanent(why))
            }
            _ => built.client.send(request).await,
        }
    }

    fn abandon_connections(&self) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl fmt::Debug for RenewedClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RenewedClient").finish_non_exhaustive()
    }
}

/// Returns the transport of all sources of the process that have no other: to build a client takes
/// milliseconds and reads the certificates of the system.
pub(crate) fn default_transport() -> Arc<dyn Transport> {
    static DEFAULT: OnceLock<Arc<RenewedClient>> = OnceLock::new();
    let client = DEFAULT.get_or_init(|| Arc::new(RenewedClient::new(default_settings)));
    Arc::clone(client) as Arc<dyn Transport>
}

fn default_settings() -> ClientBuilder {
    let builder = Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(Policy::none())
        .user_agent(concat!("sse-client/", env!("CARGO_PKG_VERSION")));
    #[cfg(feature = "http2")]
    let builder = builder
        .http2_keep_alive_interval(PING_INTERVAL)
        .http2_keep_alive_timeout(PING_TIMEOUT);
    builder
}

/// Splits a request builder into its client and a request that can be sent again.
pub(crate) fn split(builder: RequestBuilder) -> (Client, Result<http::Request<Bytes>, BoxError>) {
    let (client, request) = builder.build_split();
    (client, request.map_err(Into::into).and_then(repeatable))
}

/// Turns the user name and the password of a URL into a header, if there is none yet. reqwest does
/// this only in its builder.
fn send_credentials(client: &Client, request: &mut reqwest::Request) -> reqwest::Result<()> {
    if request.url().username().is_empty() && request.url().password().is_none() {
        return Ok(());
    }
    let built = client.get(request.url().clone()).build()?;
    *request.url_mut() = built.url().clone();
    if let Some(value) = built.headers().get(AUTHORIZATION) {
        let headers = request.headers_mut();
        headers.entry(AUTHORIZATION).or_insert(value.clone());
    }
    Ok(())
}

fn repeatable(request: reqwest::Request) -> Result<http::Request<Bytes>, BoxError> {
    let request = http::Request::<reqwest::Body>::try_from(request)?;
    let (head, body) = request.into_parts();
    let Some(body) = body.as_bytes().map(Bytes::copy_from_slice) else {
        return Err(
            "a body that is a stream cannot be sent again for the next connection; \
                    give it as bytes, or build each request with `EventSource::per_attempt`"
                .into(),
        );
    };
    Ok(http::Request::from_parts(head, body))
}
