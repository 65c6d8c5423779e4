//! A subscriber that reads its stream as events.

use std::collections::VecDeque;

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt};
use sse_core::{EventId, provider::Subscriber, resume::Outcome, wire::Decoder};

use crate::{OwnedEvent, decode, in_time};

#[derive(Debug)]
pub(crate) struct Listener {
    subscriber: Subscriber,
    decoder: Decoder,
    pending: VecDeque<OwnedEvent>,
}

impl Listener {
    pub(crate) fn new(subscriber: Subscriber) -> Self {
        Self {
            subscriber,
            decoder: Decoder::new(),
            pending: VecDeque::new(),
        }
    }

    pub(crate) fn outcome(&self) -> Outcome {
        self.subscriber.outcome()
    }

    /// Returns the id of the place where the stream begins.
    pub(crate) fn begins_at(&self) -> Option<&EventId> {
        self.subscriber.begins_at()
    }

    /// Asks the stream to end after the messages that were accepted.
    pub(crate) fn finish(&mut self) {
        self.subscriber.finish();
    }

    /// Returns the next piece as it comes, or `None` at the end.
    pub(crate) async fn piece(&mut self) -> Option<Bytes> {
        in_time("the next delivery", self.subscriber.next()).await
    }

    /// Returns the next piece of a stream that goes on.
    pub(crate) async fn bytes(&mut self) -> Bytes {
        self.piece().await.expect("the stream goes on")
    }

    /// Returns the data of the next events.
    pub(crate) async fn data(&mut self, count: usize) -> Vec<String> {
        while self.pending.len() < count {
            let bytes = self.bytes().await;
            self.read(&bytes);
        }
        self.pending
            .drain(..count)
            .map(|event| event.data)
            .collect()
    }

    /// Returns the events of the next piece, or `None` at the end.
    pub(crate) async fn events(&mut self) -> Option<Vec<OwnedEvent>> {
        let bytes = self.piece().await?;
        self.read(&bytes);
        Some(self.pending.drain(..).collect())
    }

    /// Returns `true` if there is nothing to read without waiting.
    pub(crate) fn is_idle(&mut self) -> bool {
        self.pending.is_empty() && self.subscriber.next().now_or_never().is_none()
    }

    /// Returns the data of all events up to the end of the stream.
    pub(crate) async fn rest(mut self) -> Vec<String> {
        while let Some(bytes) = self.piece().await {
            self.read(&bytes);
        }
        self.pending.into_iter().map(|event| event.data).collect()
    }

    fn read(&mut self, bytes: &[u8]) {
        assert!(!bytes.is_empty(), "a delivery is never empty");
        self.pending.extend(decode(&mut self.decoder, bytes));
    }
}
