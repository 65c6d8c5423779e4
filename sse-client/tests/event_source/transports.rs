//! Another HTTP client in place of reqwest.

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use sse_client::{Body, BoxError, Transport, TransportError};

use super::{
    log::{follow, get},
    scripted::{Script, Server},
};

struct Hyper(Client<HttpConnector, Full<Bytes>>);

#[async_trait]
impl Transport for Hyper {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Body>, TransportError> {
        let response = self.0.request(request.map(Full::new)).await;
        let response = response.map_err(TransportError::new)?;
        Ok(response.map(|body| body.map_err(BoxError::from).boxed_unsync()))
    }
}

#[tokio::test]
async fn hyper_can_stand_in_for_reqwest() {
    let server = Server::start([
        Script::status("302 Found", &["Location: /there"]),
        Script::events("id: 1\ndata: a\n\n"),
        Script::status("204 No Content", &[]),
    ])
    .await;
    let hyper = Hyper(Client::builder(TokioExecutor::new()).build_http());
    let log = follow(&mut get(server.url("/here")).transport(hyper)).await;
    assert_eq!(
        log,
        [
            "connecting",
            "open",
            "[1] message: a",
            "ended; again in 20ms",
            "stopped"
        ]
    );
    let requests = server.requests();
    let paths: Vec<_> = requests
        .iter()
        .map(|request| request.path.as_str())
        .collect();
    assert_eq!(paths, ["/here", "/there", "/here"]);
    assert_eq!(requests[2].last_event_id(), Some("1"));
}
