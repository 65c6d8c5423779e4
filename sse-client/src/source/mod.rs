//! A client that follows a stream over all of its connections: the standard's `EventSource`.

mod backoff;
mod callbacks;
mod config;
mod connect;
mod drive;
mod error;
mod redirect;
mod request;
pub mod retry;
mod stream;
mod update;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, StatusCode};
use sse_wire::Limits;

pub use backoff::Backoff;
pub use callbacks::{Callback, Handle};
pub use drive::EventSource;
pub use error::{Error, Redirect};
pub use request::Attempt;
pub use update::{Closed, Connecting, Open, Update};

use self::{config::Config, request::Requests};
use crate::{BoxError, Event, Transport};

/// How it is made and set. Nothing happens before it is polled.
impl EventSource {
    /// Follows the stream at a URL. A malformed one is told as [`Error::Request`] when the source is polled.
    pub fn get(url: impl AsRef<str>) -> Self {
        Self::from_requests(Requests::get(url.as_ref()))
    }

    /// Follows the stream that a request asks for, of any method, with its headers and body; it is sent again for each connection.
    pub fn request(request: Request<impl Into<Bytes>>) -> Self {
        Self::from_requests(Requests::Same(Box::new(request.map(Into::into))))
    }

    /// As [`request`](Self::request), by what reqwest builds requests with. Available with feature
    /// `reqwest`.
    ///
    /// Its client is used, by its own policy for redirects; a total timeout would cut streams off.
    #[cfg(feature = "reqwest")]
    pub fn reqwest(builder: reqwest::RequestBuilder) -> Self {
        let (client, request) = crate::transport::parts(builder);
        let requests = match request {
            Ok(request) => Requests::Same(Box::new(request)),
            Err(error) => Requests::Malformed(error.to_string()),
        };
        Self::from_requests(requests).transport(client)
    }

    /// Builds a request for each attempt, with a new token perhaps. An error counts as a failed attempt.
    pub fn per_attempt<F, R, E>(build: F) -> Self
    where
        F: Fn(Attempt) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Request<Bytes>, E>> + Send + 'static,
        E: Into<BoxError>,
    {
        Self::from_requests(Requests::PerAttempt(Arc::new(move |attempt| {
            let request = build(attempt);
            Box::pin(async move { request.await.map_err(Into::into) })
        })))
    }

    /// Sets a header of every request. A malformed one is told as [`Error::Request`] when the source is polled.
    ///
    /// `Accept`, `Cache-Control` and `Pragma` are set if they are not set here. Other origins, to which a server redirects, see
    /// none but the harmless ones.
    #[must_use]
    pub fn header<N, V>(self, name: N, value: V) -> Self
    where
        N: TryInto<HeaderName, Error: Into<BoxError>>,
        V: TryInto<HeaderValue, Error: Into<BoxError>>,
    {
        self.configure(|config| {
            let name = name.try_into().map_err(Into::into);
            let value = value.try_into().map_err(Into::into);
            match name.and_then(|name| Ok((name, value?))) {
                Ok((name, value)) => {
                    config.headers.insert(name, value);
                }
                Err(error) => {
                    config.malformed.get_or_insert(format!("a header: {error}"));
                }
            }
        })
    }

    /// Sets the id to start from: that of the last event that was seen, by an earlier run of the program perhaps.
    #[must_use]
    pub fn resume_from(mut self, id: impl Into<String>) -> Self {
        self.set_last_event_id(id.into());
        self
    }

    /// Sets how connections are made again. See [`Backoff`] for the default.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.set_backoff(backoff);
        self
    }

    /// Sets which statuses are worth another attempt: [`retry::transient`] by default, [`retry::standard`] for what browsers do.
    #[must_use]
    pub fn retry_on(self, policy: impl Fn(StatusCode) -> bool + Send + Sync + 'static) -> Self {
        self.configure(|config| config.retry_on = Arc::new(policy))
    }

    /// Connects again when nothing has come for so long: no event, no comment, no byte, and no head of a response.
    ///
    /// None by default, because not every server sends comments to show that it is alive. For one that does, three times their
    /// interval is a good value (this project's servers: 15 s). reqwest's own TCP keep-alive finds a
    /// peer that has vanished within a minute even without.
    #[must_use]
    pub fn idle_timeout(self, time: Duration) -> Self {
        self.configure(|config| config.idle_timeout = Some(time))
    }

    /// Sets how much of an event is held before the stream is given up. 4 MiB by default.
    #[must_use]
    pub fn limits(self, limits: Limits) -> Self {
        self.configure(|config| config.limits = limits)
    }

    /// Sets how many redirects in a row are followed. 20 by default, as in browsers.
    #[must_use]
    pub fn max_redirects(self, redirects: usize) -> Self {
        self.configure(|config| config.max_redirects = redirects)
    }

    /// Sends with a client of yours: a `reqwest::Client` or any other [`Transport`].
    #[must_use]
    pub fn transport(self, transport: impl Transport) -> Self {
        let transport: Arc<dyn Transport> = Arc::new(transport);
        self.configure(|config| config.transport = OnceLock::from(transport))
    }

    /// Calls a function before each wait for another connection.
    #[must_use]
    pub fn before_wait(mut self, hook: impl FnMut(&Connecting) + Send + 'static) -> Self {
        self.hook = Some(Box::new(hook));
        self
    }

    /// Calls a function with each event that has no type of its own, or the type `message`; see [`Handle`].
    pub fn on_message(&self, function: impl FnMut(&Event) + Send + 'static) -> Callback {
        self.handle().on_message(function)
    }

    /// Calls a function with each event of a type; see [`Handle`].
    pub fn on_event(
        &self,
        event: impl Into<String>,
        function: impl FnMut(&Event) + Send + 'static,
    ) -> Callback {
        self.handle().on_event(event, function)
    }

    /// Calls a function with each event; see [`Handle`].
    pub fn on_any(&self, function: impl FnMut(&Event) + Send + 'static) -> Callback {
        self.handle().on_any(function)
    }

    /// A change holds from the next attempt on.
    fn configure(mut self, set: impl FnOnce(&mut Config)) -> Self {
        set(Arc::make_mut(&mut self.config));
        self
    }
}
