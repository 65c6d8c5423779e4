//! `Subscriber`: the receiving end that a provider hands out.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_core::Stream;
use sync_wrapper::SyncStream;

use crate::{resume::Outcome, wire::EventId};

/// A stream of deliveries that can be asked to come to an end.
///
/// Each item is one or more whole messages in order and is never empty. The stream ends
/// with `None` when the provider shuts down, or when the client has fallen so far
/// behind that it must resume with its `Last-Event-ID`; it never fails.
pub trait Deliveries: Stream<Item = Bytes> + Send + Sync {
    /// Ends the stream once what was accepted up to now has been delivered.
    ///
    /// What is accepted later need not be delivered, and must not keep the stream open for ever.
    fn finish(self: Pin<&mut Self>);
}

/// Deliveries to one client: a stream of messages, already encoded and shared.
///
/// Dropping it unsubscribes.
#[must_use = "dropping a subscriber unsubscribes it"]
pub struct Subscriber {
    outcome: Outcome,
    begins_at: Option<EventId>,
    deliveries: Pin<Box<dyn Deliveries>>,
}

impl Subscriber {
    /// Makes a subscriber of any stream that keeps to the contract of [`Deliveries`]. For providers.
    ///
    /// Asked to finish, it ends as soon as nothing is pending, or after 1,024 more items.
    pub fn new(
        outcome: Outcome,
        deliveries: impl Stream<Item = Bytes> + Send + Sync + 'static,
    ) -> Self {
        Self::with_deliveries(outcome, Pending::new(deliveries))
    }

    /// Makes a subscriber of deliveries that know what they have accepted. For providers.
    pub fn with_deliveries(outcome: Outcome, deliveries: impl Deliveries + 'static) -> Self {
        Self {
            outcome,
            begins_at: None,
            deliveries: Box::pin(deliveries),
        }
    }

    /// Names the place where the stream begins, so that a client which is cut off before its first message has
    /// something to come back with. For providers; `None` if the client has an id that is as good.
    ///
    /// [`Epoch::cursor_id`](crate::replay::Epoch::cursor_id) makes one.
    pub fn beginning_at(mut self, id: impl Into<Option<EventId>>) -> Self {
        self.begins_at = id.into();
        self
    }

    /// Returns what became of the client's past.
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Returns the id of the place where the stream begins.
    pub fn begins_at(&self) -> Option<&EventId> {
        self.begins_at.as_ref()
    }

    /// Ends the stream once what was accepted up to now has been delivered: see [`Deliveries::finish`].
    pub fn finish(&mut self) {
        self.deliveries.as_mut().finish();
    }

    /// The parts, for whoever wraps them otherwise.
    pub(crate) fn into_parts(self) -> (Option<EventId>, Pin<Box<dyn Deliveries>>) {
        (self.begins_at, self.deliveries)
    }
}

impl Stream for Subscriber {
    type Item = Bytes;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        self.deliveries.as_mut().poll_next(cx)
    }
}

impl fmt::Debug for Subscriber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscriber")
            .field("outcome", &self.outcome)
            .finish_non_exhaustive()
    }
}

/// A stream that knows nothing of ends: what is pending when it is asked to finish is what it has accepted.
pub(crate) struct Pending<S> {
    stream: Pin<Box<SyncStream<S>>>,
    /// How many items may still come once it is to finish.
    left: Option<usize>,
    /// Nothing was there when it was last polled, to finish.
    has_waited: bool,
}

impl<S> Pending<S> {
    /// Ends a stream that is always ready all the same.
    const MOST: usize = 1_024;

    pub(crate) fn new(stream: S) -> Self
    where
        S: Stream,
    {
        Self {
            stream: Box::pin(SyncStream::new(stream)),
            left: None,
            has_waited: false,
        }
    }
}

impl<S: Stream<Item = Bytes>> Stream for Pending<S> {
    type Item = Bytes;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let this = self.get_mut();
        let Some(left) = &mut this.left else {
            return this.stream.as_mut().poll_next(cx);
        };
        let Some(fewer) = left.checked_sub(1) else {
            return Poll::Ready(None);
        };
        let polled = this.stream.as_mut().poll_next(cx);
        if polled.is_ready() {
            *left = fewer;
            this.has_waited = false;
        } else if !this.has_waited {
            // A task that has had its share of time finds nothing ready: it is asked again in its next turn.
            this.has_waited = true;
            cx.waker().wake_by_ref();
        } else {
            *left = 0;
            return Poll::Ready(None);
        }
        polled
    }
}

impl<S: Stream<Item = Bytes> + Send> Deliveries for Pending<S> {
    fn finish(self: Pin<&mut Self>) {
        self.get_mut().left.get_or_insert(Self::MOST);
    }
}
