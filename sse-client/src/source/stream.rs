//! One connection, open: its body, read through the decoder.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures_core::Stream as _;
use http_body_util::BodyDataStream;
use sse_wire::{Decoder, Item};
use tokio::time::{Instant, Sleep, sleep};

use super::Error;
use crate::{Body, Event, TransportError, feed::Feed};

/// What the standard acts upon.
pub(super) enum Part {
    Event(Event),
    Retry(Duration),
}

/// One connection, open.
pub(super) struct OpenStream {
    body: BodyDataStream<Body>,
    feed: Feed<Bytes>,
    opened: Instant,
    has_had_events: bool,
    idle: Option<Idle>,
}

/// Ends a connection on which nothing comes.
struct Idle {
    after: Duration,
    last_byte: Instant,
    /// Set anew only when it goes off, and not with each chunk.
    alarm: Pin<Box<Sleep>>,
}

impl OpenStream {
    pub(super) fn new(body: Body, decoder: Decoder, idle_timeout: Option<Duration>) -> Self {
        Self {
            body: BodyDataStream::new(body),
            feed: Feed::new(decoder),
            opened: Instant::now(),
            has_had_events: false,
            idle: idle_timeout.map(Idle::new),
        }
    }

    pub(super) fn last_event_id(&self) -> &str {
        self.feed.last_event_id()
    }

    pub(super) fn lasted(&self) -> Duration {
        self.opened.elapsed()
    }

    pub(super) fn has_had_events(&self) -> bool {
        self.has_had_events
    }

    /// The next part, or why the connection has ended.
    pub(super) fn poll_part(&mut self, cx: &mut Context<'_>) -> Poll<Result<Part, Error>> {
        loop {
            while let Some(item) = self.feed.next()? {
                match item {
                    Item::Event(event) => {
                        self.has_had_events = true;
                        return Poll::Ready(Ok(Part::Event(event.into())));
                    }
                    Item::Retry(time) => return Poll::Ready(Ok(Part::Retry(time))),
                    _ => {}
                }
            }
            match Pin::new(&mut self.body).poll_next(cx) {
                Poll::Ready(Some(Ok(chunk))) => {
                    self.feed.fill(chunk);
                    if let Some(idle) = &mut self.idle {
                        idle.last_byte = Instant::now();
                    }
                }
                Poll::Ready(Some(Err(error))) => {
                    return Poll::Ready(Err(Error::Lost(TransportError::new(error))));
                }
                Poll::Ready(None) => return Poll::Ready(Err(Error::Ended)),
                Poll::Pending => {
                    let Some(idle) = &mut self.idle else {
                        return Poll::Pending;
                    };
                    return idle.poll(cx).map(Err);
                }
            }
        }
    }
}

impl Idle {
    fn new(after: Duration) -> Self {
        Self {
            after,
            last_byte: Instant::now(),
            alarm: Box::pin(sleep(after)),
        }
    }

    /// Ready when nothing has come for too long.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        while self.alarm.as_mut().poll(cx).is_ready() {
            let end = self.last_byte + self.after;
            if end <= Instant::now() {
                return Poll::Ready(Error::Idle { after: self.after });
            }
            self.alarm.as_mut().reset(end);
        }
        Poll::Pending
    }
}
