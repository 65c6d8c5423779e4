//! One connection: from a request to an open stream, and to its end.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use futures_core::Stream as _;
use http::{Request, Response};
use sse_wire::{Decoder, Item};
use tokio::time::{Instant, Sleep, sleep, timeout};
use url::Url;

use crate::{
    Attempt, Body, Error, Event, Open, RedirectError, Refused, TransportError,
    chunk_decoder::ChunkDecoder,
    encoding::Decoded,
    event_source::Config,
    pause::Pause,
    redirect::{follow, is_redirect},
    request::complete,
    shown::shown_text,
};

/// An open connection: the body of its response, read through the decoder.
pub(crate) struct Connection {
    body: Decoded<Body>,
    decoder: ChunkDecoder<Bytes>,
    pause: Pause,
    opened: Instant,
    /// The time from the opening to the last byte, once there is one.
    last_byte: Option<Duration>,
    has_had_events: bool,
    idle: Option<Idle>,
}

/// The items of a stream that the standard acts upon.
pub(crate) enum Part {
    Event(Event),
    Comment(String),
    Retry(Duration),
}

impl Connection {
    /// Sends the request, follows redirects, and accepts the response if it is an event stream.
    /// Dropping the future ends the request.
    pub(crate) async fn open(
        config: &Config,
        failures: u32,
        last_event_id: Option<String>,
    ) -> Result<(Open, Self), Error> {
        let attempt = Attempt {
            failures,
            last_event_id: last_event_id.clone().unwrap_or_default(),
        };
        let mut request = config.build(attempt).await?;
        let (last_event_id, is_sent) = complete(request.headers_mut(), last_event_id);
        let text = request.uri().to_string();
        let mut url = Url::parse(&text).map_err(|error| {
            Error::Request(format!("the URL {}: {error}", shown_text(&text)).into())
        })?;
        for _ in 0..=config.max_redirects {
            let response = send(config, request.clone()).await?;
            let status = response.status();
            if !is_redirect(status) {
                let (mut open, body) = accept(config, response, url).await?;
                open.unsent_id = (!is_sent).then(|| last_event_id.clone());
                return Ok((open, Self::new(config, body, last_event_id)));
            }
            url = follow(&mut request, &url, status, response.headers())?;
        }
        let limit = config.max_redirects;
        Err(RedirectError::TooMany { limit }.into())
    }

    fn new(config: &Config, body: Decoded<Body>, last_event_id: String) -> Self {
        let decoder = Decoder::new()
            .limits(config.limits)
            .resume_from(last_event_id);
        Self {
            body,
            decoder: ChunkDecoder::new(decoder),
            pause: Pause::default(),
            opened: Instant::now(),
            last_byte: None,
            has_had_events: false,
            idle: config.idle_timeout.map(Idle::new),
        }
    }

    pub(crate) fn last_event_id(&self) -> &str {
        self.decoder.last_event_id()
    }

    /// Returns how long after the opening the last byte came, if one did.
    pub(crate) fn last_byte(&self) -> Option<Duration> {
        self.last_byte
    }

    pub(crate) fn has_had_events(&self) -> bool {
        self.has_had_events
    }

    /// Returns the reason why the connection has ended properly.
    fn end(&self) -> Error {
        let ignored = self.decoder.ignored();
        if self.has_had_events || ignored.is_empty() {
            return Error::Ended;
        }
        Error::NoEvents {
            text: ignored.into_owned(),
        }
    }

    /// Returns the next part, or the reason why the connection has ended.
    /// Comments are parts only if they are wanted.
    pub(crate) fn poll_part(
        &mut self,
        cx: &mut Context<'_>,
        wants_comments: impl Fn() -> bool,
    ) -> Poll<Result<Part, Error>> {
        loop {
            ready!(self.pause.poll_proceed(cx));
            while let Some(item) = self.decoder.next()? {
                match item {
                    Item::Event(event) => {
                        self.has_had_events = true;
                        return Poll::Ready(Ok(Part::Event(event.into())));
                    }
                    Item::Retry(time) => return Poll::Ready(Ok(Part::Retry(time))),
                    Item::Comment(text) if wants_comments() => {
                        return Poll::Ready(Ok(Part::Comment(text.into_owned())));
                    }
                    _ => {}
                }
            }
            match Pin::new(&mut self.body).poll_next(cx) {
                Poll::Ready(Some(Ok(chunk))) => {
                    self.decoder.fill(chunk);
                    let now = Instant::now();
                    self.last_byte = Some(now - self.opened);
                    if let Some(idle) = &mut self.idle {
                        idle.last_byte = now;
                    }
                }
                Poll::Ready(Some(Err(error))) => {
                    return Poll::Ready(Err(Error::Lost(TransportError::new(error))));
                }
                Poll::Ready(None) => return Poll::Ready(Err(self.end())),
                Poll::Pending => {
                    self.pause.reset();
                    let Some(idle) = &mut self.idle else {
                        return Poll::Pending;
                    };
                    return idle.poll(cx).map(Err);
                }
            }
        }
    }
}

/// Sends a request. The connection is idle, too, if the head of the response does not come in time.
async fn send(config: &Config, request: Request<Bytes>) -> Result<Response<Body>, Error> {
    let response = config.transport()?.send(request);
    let response = match config.idle_timeout {
        Some(after) => timeout(after, response).await.map_err(|_| Error::Idle {
            after,
            connecting: true,
        })?,
        None => response.await,
    };
    response.map_err(Error::Connect)
}

/// Returns the body of a response that is an event stream.
async fn accept(
    config: &Config,
    response: Response<Body>,
    url: Url,
) -> Result<(Open, Decoded<Body>), Error> {
    let (mut head, body) = response.into_parts();
    let body = Decoded::new(&head.headers, body);
    let is_stream = (config.accept)(head.status, &head.headers);
    let body = match body {
        Ok(body) if is_stream => body,
        body => return Err(Refused::read(head.status, head.headers, body).await.into()),
    };
    let open = Open {
        // A transport that has followed redirects itself knows better.
        url: head.extensions.remove().unwrap_or(url),
        status: head.status,
        headers: head.headers,
        unsent_id: None,
    };
    Ok((open, body))
}

/// The limit for the time without a byte.
struct Idle {
    after: Duration,
    last_byte: Instant,
    /// Reset when it fires and not with each chunk, which would cost more.
    timer: Pin<Box<Sleep>>,
}

impl Idle {
    fn new(after: Duration) -> Self {
        Self {
            after,
            last_byte: Instant::now(),
            timer: Box::pin(sleep(after)),
        }
    }

    /// Returns the error once nothing has arrived for too long.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        while self.timer.as_mut().poll(cx).is_ready() {
            let end = self.last_byte + self.after;
            if end <= Instant::now() {
                return Poll::Ready(Error::Idle {
                    after: self.after,
                    connecting: false,
                });
            }
            self.timer.as_mut().reset(end);
        }
        Poll::Pending
    }
}
