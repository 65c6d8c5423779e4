//! A client that follows a stream over all of its connections: the standard's `EventSource`.

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use futures_core::{Stream, stream::FusedStream};
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};
use sse_wire::Limits;
use tokio::time::{Instant, Sleep, sleep};
use tokio_util::sync::WaitForCancellationFutureOwned;

use crate::{
    Attempt, Backoff, BoxError, Closed, Connecting, Error, Event, Handle, Open, Report, Transport,
    Update,
    backoff::RetryState,
    connection::{Connection, Part},
    handle::Call,
    refused::has_event_stream_type,
    request::Requests,
    retry,
};

/// The default limit, which is that of browsers.
const MAX_REDIRECTS: usize = 20;

/// Follows a stream of events over all of its connections, as the `EventSource` of a browser does
/// ([HTML, 9.2]). It is a stream of [`Update`]s: events, and changes of the connection's state.
/// Its [`handle`](Self::handle) calls functions with events and closes it.
///
/// Everything happens in the task that polls it: without polling no byte is read, so a slow
/// consumer slows the server down, and memory is bounded by [`limits`](Self::limits). **Dropping it
/// ends the connection at once.** It needs a tokio runtime with time enabled.
///
/// The last event id and the reconnection time that the server sets are kept from one connection
/// to the next.
///
/// [HTML, 9.2]: https://html.spec.whatwg.org/multipage/server-sent-events.html
pub struct EventSource {
    config: Arc<Config>,
    retry_state: RetryState,
    /// `None` until the stream or the user has set one.
    last_event_id: Option<String>,
    on_retry: Option<OnRetry>,
    handle: Handle,
    close_called: Pin<Box<WaitForCancellationFutureOwned>>,
    state: State,
}

type OnRetry = Box<dyn FnMut(&Connecting) + Send>;

type Connect = dyn Future<Output = Result<(Open, Connection), Error>> + Send;

enum State {
    Start,
    Connecting(Pin<Box<Connect>>),
    Open(Box<Connection>),
    Waiting(Pin<Box<Sleep>>),
    Closed,
}

/// Construction. Nothing happens before the source is polled.
impl EventSource {
    /// Follows the stream at a URL. A malformed URL is reported as [`Error::Request`] when the
    /// source is polled.
    pub fn get(url: impl AsRef<str>) -> Self {
        Self::new(Requests::get(url.as_ref()))
    }

    /// Follows the stream that a request asks for. It may have any method, headers and a body, and
    /// is sent again for each connection.
    pub fn request(request: Request<impl Into<Bytes>>) -> Self {
        Self::new(Requests::Same(Box::new(request.map(Into::into))))
    }

    /// Follows the stream that a request of reqwest asks for. Available with feature `reqwest`.
    ///
    /// The request is sent by its own client, which follows redirects by its own policy. A total
    /// timeout would cut the stream off.
    #[cfg(feature = "reqwest")]
    pub fn reqwest(builder: reqwest::RequestBuilder) -> Self {
        let (client, request) = crate::reqwest_client::split(builder);
        let requests = match request {
            Ok(request) => Requests::Same(Box::new(request)),
            Err(error) => {
                let error = crate::shown::without_secrets(error);
                Requests::Malformed(Report::new(&*error).to_string())
            }
        };
        Self::new(requests).transport(client)
    }

    /// Builds a request for each attempt, with a new token perhaps. An error counts as a failed
    /// attempt.
    pub fn per_attempt<F, R, E>(build: F) -> Self
    where
        F: Fn(Attempt) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Request<Bytes>, E>> + Send + 'static,
        E: Into<BoxError>,
    {
        Self::new(Requests::PerAttempt(Arc::new(move |attempt| {
            let request = build(attempt);
            Box::pin(async move { request.await.map_err(Into::into) })
        })))
    }

    fn new(requests: Requests) -> Self {
        let handle = Handle::new();
        Self {
            config: Arc::new(Config::new(requests)),
            retry_state: RetryState::new(Backoff::default()),
            last_event_id: None,
            on_retry: None,
            close_called: Box::pin(handle.closed()),
            handle,
            state: State::Start,
        }
    }
}

/// Settings. A change takes effect with the next attempt.
impl EventSource {
    /// Sets a header of every request. A malformed one is reported as [`Error::Request`] when the
    /// source is polled.
    ///
    /// `Accept`, `Cache-Control` and `Pragma` are set unless they are set here. After a redirect to
    /// another origin only headers that cannot hold a secret are sent.
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
                    let report = Report::new(&*error);
                    config
                        .malformed
                        .get_or_insert(format!("a header: {report}"));
                }
            }
        })
    }

    /// Sets the id to start from: that of the last event that an earlier run of the program has
    /// seen, perhaps. One that no header can hold is not sent, and
    /// [`Open::unsent_id`](crate::Open#structfield.unsent_id) says so.
    #[must_use]
    pub fn resume_from(mut self, id: impl Into<String>) -> Self {
        self.last_event_id = Some(id.into());
        self
    }

    /// Sets how long to wait before another attempt, and when to give up. See [`Backoff`] for the
    /// default.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.retry_state = RetryState::new(backoff);
        self
    }

    /// Sets which statuses are worth another attempt: [`retry::transient`] by default,
    /// [`retry::standard`] to do as browsers do.
    #[must_use]
    pub fn retry_on(self, policy: impl Fn(StatusCode) -> bool + Send + Sync + 'static) -> Self {
        self.configure(|config| config.retry_on = Arc::new(policy))
    }

    /// Sets whether a response with status 200 that is no event stream is worth another attempt:
    /// the page of a proxy while the server is maintained. It is not by default, as in browsers,
    /// because it is the wrong URL as a rule.
    #[must_use]
    pub fn retry_other_types(self, worth: bool) -> Self {
        self.configure(|config| config.retry_other_types = worth)
    }

    /// Sets which responses are event streams, by status and headers: by default those with status
    /// 200 and the content type `text/event-stream`, as the standard says. For servers that send no
    /// content type, for example.
    ///
    /// It is not asked about redirects.
    #[must_use]
    pub fn accept(
        self,
        is_stream: impl Fn(StatusCode, &HeaderMap) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.configure(|config| config.accept = Arc::new(is_stream))
    }

    /// Sets a function that is called before each wait for another attempt.
    #[must_use]
    pub fn on_retry(mut self, function: impl FnMut(&Connecting) + Send + 'static) -> Self {
        self.on_retry = Some(Box::new(function));
        self
    }

    /// Connects again when nothing has arrived for this long: no event, no comment, no byte, and
    /// no head of a response.
    ///
    /// None by default, because not every server sends comments to show that it is alive. For one
    /// that does, three times their interval is a good value (this project's servers: 15 s).
    /// reqwest's own TCP keep-alive finds a peer that has vanished within a minute even without.
    ///
    /// The next attempt uses no connection that was open then, if the transport can do that; see
    /// [`Transport::abandon_connections`].
    #[must_use]
    pub fn idle_timeout(self, time: Duration) -> Self {
        self.configure(|config| config.idle_timeout = Some(time))
    }

    /// Sets how much of a line and of an event is kept before the stream is given up. 4 MiB by
    /// default; `Limits::default().bytes(16 << 20)` lets events of 16 MiB through.
    #[must_use]
    pub fn limits(self, limits: Limits) -> Self {
        self.configure(|config| config.limits = limits)
    }

    /// Sets whether comments are returned, as [`Update::Comment`]. They are not by default: they
    /// say no more than that the server is alive.
    #[must_use]
    pub fn comments(self, returned: bool) -> Self {
        self.configure(|config| config.comments = returned)
    }

    /// Sets how many redirects in a row are followed. 20 by default, as in browsers.
    #[must_use]
    pub fn max_redirects(self, redirects: usize) -> Self {
        self.configure(|config| config.max_redirects = redirects)
    }

    /// Sets the client that sends the requests: a `reqwest::Client` or any other [`Transport`]. By
    /// default it is one for all sources of the process.
    #[must_use]
    pub fn transport(self, transport: impl Transport) -> Self {
        let transport: Arc<dyn Transport> = Arc::new(transport);
        self.configure(|config| config.transport = OnceLock::from(transport))
    }

    fn configure(mut self, set: impl FnOnce(&mut Config)) -> Self {
        set(Arc::make_mut(&mut self.config));
        self
    }
}

/// Use.
impl EventSource {
    /// Returns the next update, or `None` after [`Update::Closed`]. Cancelling it loses nothing.
    pub async fn next(&mut self) -> Option<Update> {
        std::future::poll_fn(|cx| self.poll_update(cx)).await
    }

    /// Returns the next event, for programs that do not need the other updates. Cancelling it
    /// loses nothing.
    pub async fn next_event(&mut self) -> Result<Event, Closed> {
        loop {
            match self.next().await {
                Some(Update::Event(event)) => return Ok(event),
                Some(Update::Closed(closed)) => return Err(closed),
                Some(Update::Connecting(_) | Update::Open(_) | Update::Comment(_)) => {}
                None => return Err(Closed::Already),
            }
        }
    }

    /// Follows the stream to its end and returns the reason: for programs that only use the
    /// callbacks of the [`Handle`].
    pub async fn run(mut self) -> Closed {
        loop {
            if let Err(closed) = self.next_event().await {
                return closed;
            }
        }
    }

    /// Returns the handle, which calls functions with events and closes the source.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Returns the last event id so far, which the next connection resumes from. A block without
    /// data may have set it, too. Empty if there is none.
    pub fn last_event_id(&self) -> &str {
        match &self.state {
            State::Open(connection) => connection.last_event_id(),
            _ => self.last_event_id.as_deref().unwrap_or_default(),
        }
    }
}

/// The state machine.
impl EventSource {
    fn poll_update(&mut self, cx: &mut Context<'_>) -> Poll<Option<Update>> {
        if matches!(self.state, State::Closed) {
            return Poll::Ready(None);
        }
        loop {
            if self.close_called.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Some(self.close(Closed::ByClient)));
            }
            if self.handle.take_reconnect() {
                return Poll::Ready(Some(self.reconnect()));
            }
            let update = self.poll_state(cx);
            if update.is_ready() || !self.handle.wake_at_reconnect(cx) {
                return update;
            }
        }
    }

    fn poll_state(&mut self, cx: &mut Context<'_>) -> Poll<Option<Update>> {
        let returns_comments = self.config.comments;
        loop {
            match &mut self.state {
                State::Start => {
                    self.connect();
                    return Poll::Ready(Some(Update::Connecting(Connecting::default())));
                }
                State::Connecting(attempt) => {
                    let update = match ready!(attempt.as_mut().poll(cx)) {
                        Ok((open, connection)) => {
                            self.handle.call(Call::Open(&open));
                            self.state = State::Open(Box::new(connection));
                            Update::Open(open)
                        }
                        Err(error) => self.fail(error, false),
                    };
                    return Poll::Ready(Some(update));
                }
                State::Open(connection) => match ready!(
                    connection
                        .poll_part(cx, || { returns_comments || self.handle.wants_comments() })
                ) {
                    Ok(Part::Event(event)) => {
                        self.handle.call(Call::Event(&event));
                        return Poll::Ready(Some(Update::Event(event)));
                    }
                    Ok(Part::Comment(text)) => {
                        self.handle.call(Call::Comment(&text));
                        if returns_comments {
                            return Poll::Ready(Some(Update::Comment(text)));
                        }
                    }
                    Ok(Part::Retry(time)) => self.retry_state.set_server_wait(time),
                    Err(error) => {
                        let was_healthy = is_healthy(connection, &self.retry_state);
                        self.last_event_id = Some(connection.last_event_id().to_owned());
                        return Poll::Ready(Some(self.fail(error, was_healthy)));
                    }
                },
                State::Waiting(wait) => {
                    ready!(wait.as_mut().poll(cx));
                    self.connect();
                }
                State::Closed => return Poll::Ready(None),
            }
        }
    }

    fn connect(&mut self) {
        let config = Arc::clone(&self.config);
        let failures = self.retry_state.failures();
        let id = self.last_event_id.clone();
        let attempt = async move { Connection::open(&config, failures, id).await };
        self.state = State::Connecting(Box::pin(attempt));
    }

    /// Connects because that was called for, which is no failure.
    fn reconnect(&mut self) -> Update {
        if let State::Open(connection) = &self.state {
            if is_healthy(connection, &self.retry_state) {
                self.retry_state.ended(true);
            }
            self.last_event_id = Some(connection.last_event_id().to_owned());
        }
        self.connect();
        Update::Connecting(Connecting {
            failures: self.retry_state.failures(),
            ..Connecting::default()
        })
    }

    /// Waits for another attempt, or ends the source, after an attempt or a connection.
    fn fail(&mut self, error: Error, was_healthy: bool) -> Update {
        self.retry_state.ended(was_healthy);
        if let (Error::Idle { .. }, Ok(transport)) = (&error, self.config.transport()) {
            transport.abandon_connections();
        }
        if error.is_no_content() {
            return self.close(Closed::Stopped);
        }
        if !error.is_worth_a_retry(&*self.config.retry_on, self.config.retry_other_types) {
            return self.close(Closed::Failed(error));
        }
        let wait = self
            .retry_state
            .next_wait(error.retry_after(), Instant::now(), fastrand::f64());
        let failures = self.retry_state.failures();
        let Some(wait) = wait else {
            return self.close(Closed::GaveUp { failures, error });
        };
        let connecting = Connecting {
            error: Some(error),
            wait,
            failures,
        };
        if let Some(on_retry) = &mut self.on_retry {
            on_retry(&connecting);
        }
        self.state = State::Waiting(Box::pin(sleep(wait)));
        Update::Connecting(connecting)
    }

    fn close(&mut self, closed: Closed) -> Update {
        if let State::Open(connection) = &self.state {
            self.last_event_id = Some(connection.last_event_id().to_owned());
        }
        self.state = State::Closed;
        self.handle.end();
        Update::Closed(closed)
    }
}

/// Returns `true` if what came over a connection shows that it was healthy.
fn is_healthy(connection: &Connection, retry_state: &RetryState) -> bool {
    let last = connection.last_byte();
    connection.has_had_events() || last.is_some_and(|time| retry_state.is_healthy_after(time))
}

impl Stream for EventSource {
    type Item = Update;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Update>> {
        self.get_mut().poll_update(cx)
    }
}

impl FusedStream for EventSource {
    fn is_terminated(&self) -> bool {
        matches!(self.state, State::Closed)
    }
}

/// Breaks the reference cycle between the source and callbacks that hold a [`Handle`].
impl Drop for EventSource {
    fn drop(&mut self) {
        self.handle.end();
    }
}

impl fmt::Debug for EventSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Start | State::Connecting(_) | State::Waiting(_) => "connecting",
            State::Open(_) => "open",
            State::Closed => "closed",
        };
        f.debug_struct("EventSource")
            .field("state", &state)
            .field("last_event_id", &self.last_event_id())
            .field("config", &self.config)
            .field("retry_state", &self.retry_state)
            .field("handle", &self.handle)
            .finish_non_exhaustive()
    }
}

/// The settings of an event source, shared with its attempts.
#[derive(Clone)]
pub(crate) struct Config {
    requests: Requests,
    /// Headers of every request.
    headers: HeaderMap,
    /// The reason why every request is malformed, if a setter was given something that is.
    malformed: Option<String>,
    transport: OnceLock<Arc<dyn Transport>>,
    pub(crate) limits: Limits,
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) max_redirects: usize,
    comments: bool,
    retry_on: Arc<dyn Fn(StatusCode) -> bool + Send + Sync>,
    retry_other_types: bool,
    pub(crate) accept: Arc<Accept>,
}

type Accept = dyn Fn(StatusCode, &HeaderMap) -> bool + Send + Sync;

/// Returns `true` if the standard takes this for the head of an event stream.
fn is_event_stream(status: StatusCode, headers: &HeaderMap) -> bool {
    status == StatusCode::OK && has_event_stream_type(headers)
}

impl Config {
    fn new(requests: Requests) -> Self {
        Self {
            requests,
            headers: HeaderMap::new(),
            malformed: None,
            transport: OnceLock::new(),
            limits: Limits::default(),
            idle_timeout: None,
            max_redirects: MAX_REDIRECTS,
            comments: false,
            retry_on: Arc::new(retry::transient),
            retry_other_types: false,
            accept: Arc::new(is_event_stream),
        }
    }

    /// Builds the request of an attempt.
    pub(crate) async fn build(&self, attempt: Attempt) -> Result<Request<Bytes>, Error> {
        if let Some(why) = &self.malformed {
            return Err(Error::Request(why.clone().into()));
        }
        let mut request = self.requests.build(attempt).await?;
        for (name, value) in &self.headers {
            request.headers_mut().insert(name, value.clone());
        }
        Ok(request)
    }

    /// Returns the transport that was set; reqwest if none was.
    pub(crate) fn transport(&self) -> Result<&Arc<dyn Transport>, Error> {
        if let Some(transport) = self.transport.get() {
            return Ok(transport);
        }
        let transport = default_transport()?;
        Ok(self.transport.get_or_init(|| transport))
    }
}

#[cfg(feature = "reqwest")]
#[expect(clippy::unnecessary_wraps, reason = "without reqwest it fails")]
fn default_transport() -> Result<Arc<dyn Transport>, Error> {
    Ok(crate::reqwest_client::default_transport())
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
