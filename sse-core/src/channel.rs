//! A stream that a handler or a task writes to. [`SseBody::channel`](crate::SseBody::channel) makes
//! one.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_core::Stream;
use tokio::sync::{Semaphore, mpsc};

use crate::{join::join, subscriber::Deliveries, wire::Message};

/// The most messages that leave in one piece.
const BATCH: usize = 64;

/// The sending half of [`SseBody::channel`](crate::SseBody::channel): a client that one task writes
/// to.
///
/// Dropping the last clone ends the stream cleanly.
#[derive(Clone)]
pub struct Sender {
    messages: mpsc::Sender<Bytes>,
}

/// An error: the client is gone, or its stream has ended. Stop producing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the client is gone; stop sending")]
pub struct Disconnected;

impl Sender {
    /// Sends a message. Waits while the channel is full.
    ///
    /// An empty message is not sent. A cancelled call sends nothing.
    pub async fn send(&self, message: Message) -> Result<(), Disconnected> {
        if message.is_empty() {
            return Ok(());
        }
        self.messages
            .send(message.to_bytes())
            .await
            .map_err(|_| Disconnected)
    }

    /// Waits until the client is gone, for a task that has something to clean up or to cancel.
    pub async fn closed(&self) {
        self.messages.closed().await;
    }

    /// Returns `true` once the client is gone.
    pub fn is_closed(&self) -> bool {
        self.messages.is_closed()
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("is_closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

pub(crate) fn channel(capacity: usize) -> (Sender, Receiver) {
    let capacity = capacity.clamp(1, Semaphore::MAX_PERMITS);
    let (sender, receiver) = mpsc::channel(capacity);
    let batch = Vec::new();
    (
        Sender { messages: sender },
        Receiver {
            messages: receiver,
            batch,
        },
    )
}

/// The receiving half: everything pending in one piece.
pub(crate) struct Receiver {
    messages: mpsc::Receiver<Bytes>,
    batch: Vec<Bytes>,
}

impl Stream for Receiver {
    type Item = Bytes;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let receiver = self.get_mut();
        let count = ready!(
            receiver
                .messages
                .poll_recv_many(cx, &mut receiver.batch, BATCH)
        );
        if count == 0 {
            return Poll::Ready(None);
        }
        let bytes = join(&receiver.batch);
        receiver.batch.clear();
        Poll::Ready(Some(bytes))
    }
}

impl Deliveries for Receiver {
    fn finish(self: Pin<&mut Self>) {
        // Messages that were sent arrive; a sender of more gets an error.
        self.get_mut().messages.close();
    }
}
