//! What an event source is set to.

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use sse_wire::Limits;

use super::{
    Error,
    request::{Attempt, Requests},
    retry,
};
use crate::Transport;

/// As many as browsers follow.
const MAX_REDIRECTS: usize = 20;

/// What an event source is set to; shared with its attempts.
#[derive(Clone)]
pub(super) struct Config {
    pub(super) requests: Requests,
    /// Go into every request.
    pub(super) headers: HeaderMap,
    /// What a setter was given that makes every request malformed.
    pub(super) malformed: Option<String>,
    pub(super) transport: OnceLock<Arc<dyn Transport>>,
    pub(super) limits: Limits,
    pub(super) idle_timeout: Option<Duration>,
    pub(super) max_redirects: usize,
    pub(super) retry_on: Arc<dyn Fn(StatusCode) -> bool + Send + Sync>,
}

impl Config {
    pub(super) fn new(requests: Requests) -> Self {
        Self {
            requests,
            headers: HeaderMap::new(),
            malformed: None,
            transport: OnceLock::new(),
            limits: Limits::default(),
            idle_timeout: None,
            max_redirects: MAX_REDIRECTS,
            retry_on: Arc::new(retry::transient),
        }
    }

    /// The request for an attempt.
    pub(super) async fn build(&self, attempt: Attempt) -> Result<Request<Bytes>, Error> {
        if let Some(why) = &self.malformed {
            return Err(Error::Request(why.clone().into()));
        }
        let mut request = self.requests.build(attempt).await?;
        for (name, value) in &self.headers {
            request.headers_mut().insert(name, value.clone());
        }
        Ok(request)
    }

    /// Whoever sends; reqwest unless it was set.
    pub(super) fn transport(&self) -> Result<&Arc<dyn Transport>, Error> {
        if let Some(transport) = self.transport.get() {
            return Ok(transport);
        }
        let transport = default_transport()?;
        Ok(self.transport.get_or_init(|| transport))
    }
}

#[cfg(feature = "reqwest")]
fn default_transport() -> Result<Arc<dyn Transport>, Error> {
    let client = crate::transport::default_client().map_err(Error::Request)?;
    Ok(Arc::new(client))
}

#[cfg(not(feature = "reqwest"))]
fn default_transport() -> Result<Arc<dyn Transport>, Error> {
    let why = "there is no transport; set one with `transport`, or enable the feature `reqwest`";
    Err(Error::Request(why.into()))
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("requests", &self.requests)
            .field("malformed", &self.malformed)
            .field("limits", &self.limits)
            .field("idle_timeout", &self.idle_timeout)
            .field("max_redirects", &self.max_redirects)
            .finish_non_exhaustive()
    }
}
