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
    /// Ends the stream once everything that was accepted up to now has been delivered.
    ///
    /// Messages that are accepted later need not be delivered, and must not keep the stream open
    /// for ever.
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
    /// Creates a subscriber from any stream that keeps to the contract of [`Deliveries`]. For
    /// providers.
    ///
    /// Asked to finish, it ends as soon as nothing is pending, or after 1,024 more items.
    pub fn new(
        outcome: Outcome,
        deliveries: impl Stream<Item = Bytes> + Send + Sync + 'static,
    ) -> Self {
        Self::with_deliveries(outcome, Pending::new(deliveries))
    }

    /// Creates a subscriber from deliveries that know what they have accepted. For providers.
    pub fn with_deliveries(outcome: Outcome, deliveries: impl Deliveries + 'static) -> Self {
        Self {
            outcome,
            begins_at: None,
            deliveries: Box::pin(deliveries),
        }
    }

    /// Names the place where the stream begins, so that a client which is cut off before its first
    /// message can come back with an id. For providers; `None` if the client has an id that is as
    /// good.
    ///
    /// [`Epoch::cursor_id`](crate::replay::Epoch::cursor_id) makes one.
    pub fn beginning_at(mut self, id: impl Into<Option<EventId>>) -> Self {
        self.begins_at = id.into();
        self
    }

    /// Returns the outcome of the client's attempt to resume.
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Returns the id of the place where the stream begins.
    pub fn begins_at(&self) -> Option<&EventId> {
        self.begins_at.as_ref()
    }

    /// Ends the stream once everything that was accepted up to now has been delivered: see
    /// [`Deliveries::finish`].
    pub fn finish(&mut self) {
        self.deliveries.as_mut().finish();
    }

    /// Takes the parts.
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

/// A stream that cannot tell what it has accepted. When it is asked to finish, it ends after
/// everything that is pending.
pub(crate) struct Pending<S> {
    stream: Pin<Box<SyncStream<S>>>,
    /// The most items that may still come once it is to finish.
    left: Option<usize>,
    /// It was pending when it was last polled to finish.
    has_waited: bool,
}

impl<S> Pending<S> {
    /// The most items after which a stream ends that is always ready.
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
            // A task that has used up its budget finds nothing ready: it is polled once more.
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
