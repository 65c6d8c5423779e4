//! reqwest as the transport.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http_body_util::BodyExt as _;
use reqwest::{Client, RequestBuilder, redirect::Policy};

use crate::{Body, BoxError, Transport, TransportError};

/// The time limit for making a connection. Nothing limits how long it lasts.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// A client of your own follows redirects by its own policy, which sends all headers but the
/// well-known credentials to other servers. If you build it with `redirect::Policy::none()`, the
/// [`EventSource`](crate::EventSource) follows them. A total `timeout` would cut streams off.
#[async_trait]
impl Transport for Client {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Body>, TransportError> {
        let mut request = reqwest::Request::try_from(request).map_err(TransportError::permanent)?;
        send_credentials(self, &mut request).map_err(TransportError::permanent)?;
        let response = self.execute(request).await.map_err(|error| {
            if error.is_builder() {
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

/// Builds the default client, which is used if the caller sets none.
pub(crate) fn default_client() -> Result<Client, BoxError> {
    let client = Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(Policy::none())
        .user_agent(concat!("sse-client/", env!("CARGO_PKG_VERSION")));
    Ok(client.build()?)
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
