//! The state of an event source, and what moves it on.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use futures_core::{Stream, stream::FusedStream};
use sse_wire::Decoder;
use tokio::time::{Instant, Sleep, sleep};
use tokio_util::sync::WaitForCancellationFutureOwned;

use super::{
    Closed, Connecting, Error, Handle, Update,
    backoff::{Backoff, Row},
    config::Config,
    connect::{Connection, connect},
    request::Requests,
    stream::{OpenStream, Part},
};
use crate::Event;

/// Follows a stream of events over all of its connections, as the `EventSource` of a browser does ([HTML, 9.2]): tells
/// events and states as a stream of [`Update`]s, and calls functions with events.
///
/// Everything happens in the task that polls it: without polling no byte is read, so a slow consumer slows the server down and
/// memory is bounded by [`limits`](Self::limits). **Dropping it ends the connection at once.** It needs a tokio runtime with time
/// enabled.
///
/// The last event id outlives connections, and so does the reconnection time that the server sets.
///
/// [HTML, 9.2]: https://html.spec.whatwg.org/multipage/server-sent-events.html
pub struct EventSource {
    pub(super) config: Arc<Config>,
    row: Row,
    /// Nothing until the stream or the user has set one.
    last_event_id: Option<String>,
    pub(super) hook: Option<Hook>,
    handle: Handle,
    close_called: Pin<Box<WaitForCancellationFutureOwned>>,
    state: State,
}

pub(super) type Hook = Box<dyn FnMut(&Connecting) + Send>;

type Connect = dyn Future<Output = Result<Connection, Error>> + Send;

enum State {
    Start,
    Connecting(Pin<Box<Connect>>),
    Open(Box<OpenStream>),
    Waiting(Pin<Box<Sleep>>),
    Closed,
}

/// How it is used.
impl EventSource {
    /// The next update, or `None` after [`Update::Closed`]. Loses nothing when it is cancelled.
    pub async fn next(&mut self) -> Option<Update> {
        std::future::poll_fn(|cx| self.poll_update(cx)).await
    }

    /// The next event, for those who do not care for states. Loses nothing when it is cancelled.
    pub async fn next_event(&mut self) -> Result<Event, Closed> {
        loop {
            match self.next().await {
                Some(Update::Event(event)) => return Ok(event),
                Some(Update::Closed(closed)) => return Err(closed),
                Some(Update::Connecting(_) | Update::Open(_)) => {}
                None => return Err(Closed::Already),
            }
        }
    }

    /// Only calls functions, until the stream is over; returns why.
    pub async fn run(mut self) -> Closed {
        loop {
            if let Err(closed) = self.next_event().await {
                return closed;
            }
        }
    }

    /// A handle to act on it from elsewhere.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// The last event id so far, also of a block without data: what the next connection begins from. Empty if there is none.
    pub fn last_event_id(&self) -> &str {
        match &self.state {
            State::Open(stream) => stream.last_event_id(),
            _ => self.last_event_id.as_deref().unwrap_or_default(),
        }
    }

    pub(super) fn from_requests(requests: Requests) -> Self {
        let handle = Handle::new();
        Self {
            config: Arc::new(Config::new(requests)),
            row: Row::new(Backoff::default()),
            last_event_id: None,
            hook: None,
            close_called: Box::pin(handle.closed()),
            handle,
            state: State::Start,
        }
    }

    pub(super) fn set_backoff(&mut self, backoff: Backoff) {
        self.row = Row::new(backoff);
    }

    pub(super) fn set_last_event_id(&mut self, id: String) {
        self.last_event_id = Some(id);
    }

    fn poll_update(&mut self, cx: &mut Context<'_>) -> Poll<Option<Update>> {
        if matches!(self.state, State::Closed) {
            return Poll::Ready(None);
        }
        if self.close_called.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Some(self.close(Closed::ByClient)));
        }
        loop {
            match &mut self.state {
                State::Start => {
                    self.connect();
                    return Poll::Ready(Some(Update::Connecting(Connecting::default())));
                }
                State::Connecting(attempt) => {
                    let update = match ready!(attempt.as_mut().poll(cx)) {
                        Ok(connection) => self.open(connection),
                        Err(error) => self.fail(error),
                    };
                    return Poll::Ready(Some(update));
                }
                State::Open(stream) => match ready!(stream.poll_part(cx)) {
                    Ok(Part::Event(event)) => {
                        self.handle.call(&event);
                        return Poll::Ready(Some(Update::Event(event)));
                    }
                    Ok(Part::Retry(time)) => self.row.set_retry(time),
                    Err(error) => {
                        let properly = matches!(error, Error::Ended) && stream.has_had_events();
                        self.row.connection_ended(stream.lasted(), properly);
                        self.last_event_id = Some(stream.last_event_id().to_owned());
                        return Poll::Ready(Some(self.fail(error)));
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
        let failures = self.row.failures();
        let id = self.last_event_id.clone();
        let attempt = async move { connect(&config, failures, id).await };
        self.state = State::Connecting(Box::pin(attempt));
    }

    fn open(&mut self, connection: Connection) -> Update {
        let Connection {
            open,
            body,
            last_event_id,
        } = connection;
        let decoder = Decoder::new()
            .limits(self.config.limits)
            .with_last_event_id(last_event_id);
        let stream = OpenStream::new(body, decoder, self.config.idle_timeout);
        self.state = State::Open(Box::new(stream));
        Update::Open(open)
    }

    /// Waits for another attempt, or ends.
    fn fail(&mut self, error: Error) -> Update {
        if error.is_no_content() {
            return self.close(Closed::Stopped);
        }
        if !error.is_worth_a_retry(&*self.config.retry_on) {
            return self.close(Closed::Failed(error));
        }
        let wait = self
            .row
            .next(error.retry_after(), Instant::now(), fastrand::f64());
        let failures = self.row.failures();
        let Some(wait) = wait else {
            return self.close(Closed::GaveUp { failures, error });
        };
        let connecting = Connecting {
            error: Some(error),
            wait,
            failures,
        };
        if let Some(hook) = &mut self.hook {
            hook(&connecting);
        }
        self.state = State::Waiting(Box::pin(sleep(wait)));
        Update::Connecting(connecting)
    }

    fn close(&mut self, closed: Closed) -> Update {
        if let State::Open(stream) = &self.state {
            self.last_event_id = Some(stream.last_event_id().to_owned());
        }
        self.state = State::Closed;
        self.handle.end();
        Update::Closed(closed)
    }
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

/// Functions may own handles: without this they would keep each other.
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
            .field("row", &self.row)
            .field("handle", &self.handle)
            .finish_non_exhaustive()
    }
}
