//! `Subscriber`: the receiving end that a provider hands out.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_core::Stream;

use crate::resume::Outcome;

/// Deliveries to one client: a stream of messages, already encoded and shared.
///
/// Each item is one or more whole messages in order and is never empty. The stream ends
/// with `None` when the provider shuts down, or when the client has fallen so far
/// behind that it must resume with its `Last-Event-ID`; it never fails. Dropping it unsubscribes.
#[must_use = "dropping a subscriber unsubscribes it"]
pub struct Subscriber {
    outcome: Outcome,
    deliveries: Pin<Box<dyn Stream<Item = Bytes> + Send + Sync>>,
}

impl Subscriber {
    /// A subscriber over any stream that keeps to the contract above. For providers.
    pub fn new(
        outcome: Outcome,
        deliveries: impl Stream<Item = Bytes> + Send + Sync + 'static,
    ) -> Self {
        Self {
            outcome,
            deliveries: Box::pin(deliveries),
        }
    }

    /// What became of the client's past.
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The deliveries without the wrapping, for whoever boxes them otherwise.
    pub(crate) fn into_deliveries(self) -> Pin<Box<dyn Stream<Item = Bytes> + Send + Sync>> {
        self.deliveries
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
