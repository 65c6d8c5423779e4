//! Events as a stream.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_core::{Stream, stream::FusedStream};
use sse_wire::{Decoder, Item, Limits};

use super::{DONE, ReadError, until::Until};
use crate::{BoxError, Event, feed::Feed};

/// The events of an asynchronous body; see [`read`](super::read).
///
/// Ends with the body, what is unfinished then is discarded as the standard says, or after the first error.
pub struct Events<S, C = Bytes> {
    body: Pin<Box<S>>,
    feed: Feed<C>,
    until: Until,
    ended: bool,
}

impl<S, C: AsRef<[u8]>> Events<S, C> {
    pub(super) fn new(body: S) -> Self {
        Self {
            body: Box::pin(body),
            feed: Feed::new(Decoder::new()),
            until: Until::default(),
            ended: false,
        }
    }

    /// Sets how much is held before the stream is given up.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.feed.limit(limits);
        self
    }

    /// Ends at `data: [DONE]`, as LLM servers end their answers; that event is not given. A body that ends without
    /// it is [`ReadError::Incomplete`].
    #[must_use]
    pub fn until_done(self) -> Self {
        self.until(DONE)
    }

    /// Ends at an event with exactly this data, which is not given. A body that ends without it is [`ReadError::Incomplete`].
    #[must_use]
    pub fn until(mut self, data: impl Into<String>) -> Self {
        self.until = Until::Certainly(data.into());
        self
    }

    /// The data of each event as JSON, up to `[DONE]` if there is one. Available with feature
    /// `json`.
    ///
    /// To tell a whole answer from one that was cut off, call [`until_done`](Self::until_done)
    /// before.
    #[cfg(feature = "json")]
    #[must_use]
    pub fn json<T>(mut self) -> super::Json<T, Self> {
        self.until = self.until.or_perhaps(DONE);
        super::Json::new(self)
    }

    /// What to resume from: the last event id so far, also of a block without data. Empty if there is none.
    pub fn last_event_id(&self) -> &str {
        self.feed.last_event_id()
    }
}

impl<S, C, E> Events<S, C>
where
    S: Stream<Item = Result<C, E>>,
    C: AsRef<[u8]> + Unpin,
    E: Into<BoxError>,
{
    /// The next event, or `None` at the end. Loses nothing when it is cancelled.
    pub async fn next(&mut self) -> Option<Result<Event, ReadError>> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    #[inline]
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Event, ReadError>>> {
        loop {
            while let Some(item) = self.feed.next()? {
                if let Item::Event(event) = item {
                    if self.until.is(event.data) {
                        return Poll::Ready(None);
                    }
                    return Poll::Ready(Some(Ok(event.into())));
                }
            }
            match ready!(self.body.as_mut().poll_next(cx)) {
                Some(chunk) => self.feed.fill(chunk.map_err(ReadError::body)?),
                None => return Poll::Ready(self.until.check_end().err().map(Err)),
            }
        }
    }
}

impl<S, C, E> Stream for Events<S, C>
where
    S: Stream<Item = Result<C, E>>,
    C: AsRef<[u8]> + Unpin,
    E: Into<BoxError>,
{
    type Item = Result<Event, ReadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.ended {
            return Poll::Ready(None);
        }
        let event = ready!(this.poll_event(cx));
        this.ended = !matches!(event, Some(Ok(_)));
        Poll::Ready(event)
    }
}

impl<S, C, E> FusedStream for Events<S, C>
where
    S: Stream<Item = Result<C, E>>,
    C: AsRef<[u8]> + Unpin,
    E: Into<BoxError>,
{
    fn is_terminated(&self) -> bool {
        self.ended
    }
}

impl<S, C: fmt::Debug> fmt::Debug for Events<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events")
            .field("feed", &self.feed)
            .field("until", &self.until)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}
