//! A subscriber that reads what it gets as events.

use std::collections::VecDeque;

use bytes::Bytes;
use futures_util::StreamExt;
use sse_core::{Decoder, Outcome, Subscriber};

use crate::{OwnedEvent, decode, in_time};

#[derive(Debug)]
pub(super) struct Listener {
    subscriber: Subscriber,
    decoder: Decoder,
    pending: VecDeque<OwnedEvent>,
}

impl Listener {
    pub(super) fn new(subscriber: Subscriber) -> Self {
        Self {
            subscriber,
            decoder: Decoder::new(),
            pending: VecDeque::new(),
        }
    }

    pub(super) fn outcome(&self) -> Outcome {
        self.subscriber.outcome()
    }

    /// The next piece as it comes, or `None` at the end.
    pub(super) async fn piece(&mut self) -> Option<Bytes> {
        in_time("the next delivery", self.subscriber.next()).await
    }

    /// The next piece of a stream that goes on.
    pub(super) async fn bytes(&mut self) -> Bytes {
        self.piece().await.expect("the stream goes on")
    }

    /// The data of the next events.
    pub(super) async fn data(&mut self, count: usize) -> Vec<String> {
        while self.pending.len() < count {
            let bytes = self.bytes().await;
            self.read(&bytes);
        }
        self.pending
            .drain(..count)
            .map(|event| event.data)
            .collect()
    }

    /// The data of all events up to the end of the stream.
    pub(super) async fn rest(mut self) -> Vec<String> {
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
