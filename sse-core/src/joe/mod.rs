//! `Joe`, the default provider: everything in this process.

mod builder;
mod history;
mod reader;
mod shared;
mod subscribe;
mod writer;

use std::{fmt, sync::Arc};

use async_trait::async_trait;

pub use self::builder::JoeBuilder;
use self::{history::History, shared::Shared, writer::Writer};
use crate::{
    error::{ProviderClosed, PublishError, SubscribeError},
    provider::{Closed, Provider, Published, is_kept},
    replay::Stored,
    subscriber::Subscriber,
    subscription::Subscription,
    topics::Topics,
    wire::Message,
};

/// The default provider: publishes to the subscribers in this process.
///
/// Live messages go through a [`Fanout`](crate::fanout::Fanout): each topic has one queue of
/// encoded messages, each subscriber is a cursor, and a reader takes everything that is pending in
/// one piece. There is no task and no timer per subscriber, and nobody waits for anybody.
///
/// **Bounded**: a queue holds what its slowest reader has not read, within
/// [`Bounds`](crate::fanout::Bounds). A reader that falls behind further is treated as
/// [`Overflow`](crate::Overflow) says: by default it continues from the history, unseen by the
/// client; where there is none, or not enough of it, its stream ends cleanly, and the client
/// reconnects with its `Last-Event-ID`.
///
/// **History** is the [`Replayer`](crate::replay::Replayer) that it is given. Without one a client
/// that comes back is told of a [`Gap`](crate::resume::Gap), unless nothing was published since its
/// stream began. A message that is only a comment or a `retry` is delivered live but not kept. A
/// history that may block is written to from one thread, many messages at once, and read by a
/// [bounded number](JoeBuilder::concurrent_replays) of readers on tokio's threads for blocking
/// work.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use sse_core::{FiniteReplayer, Hub, Joe, Message, Subscription};
///
/// let hub = Hub::new(Joe::builder().replayer(FiniteReplayer::new(1_000)).build());
/// let body = hub.subscribe(Subscription::to("news")).await?;
/// hub.publish(Message::data("hello"), "news").await?;
/// # Ok(()) }
/// ```
pub struct Joe {
    shared: Arc<Shared>,
    history: Option<Arc<History>>,
    /// The writer of a history that may block.
    writer: Option<Writer>,
}

impl Joe {
    /// Creates a provider without history.
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Returns a builder, which sets history and bounds.
    pub fn builder() -> JoeBuilder {
        JoeBuilder::default()
    }

    /// Returns the number of subscribers.
    pub fn subscribers(&self) -> usize {
        self.shared.fanout.subscribers()
    }

    /// Returns the number of bytes that are queued for subscribers that have not read them.
    pub fn queued_bytes(&self) -> usize {
        self.shared.fanout.queued_bytes()
    }
}

impl Default for Joe {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Provider for Joe {
    async fn publish(&self, message: Message, topics: Topics) -> Result<Published, PublishError> {
        if topics.is_empty() && !self.shared.fanout.is_closed() {
            return Ok(Published::new(None));
        }
        if let Some(writer) = &self.writer {
            return writer.publish(message, topics).await;
        }
        let is_kept = is_kept(&message);
        let Some(history) = self.history.as_ref().filter(|_| is_kept) else {
            let bytes = message.to_bytes();
            let fanout = self.shared.fanout.lock()?;
            let position = match self.history {
                // Without history a position counts the messages that a client can miss.
                None if is_kept => fanout.position().next(),
                _ => fanout.position(),
            };
            fanout.publish(&topics, &bytes, position);
            return Ok(Published::new(message.id));
        };
        let fanout = self.shared.fanout.lock()?;
        // Stored under the lock: the order of the history is the order of delivery.
        let Stored {
            id,
            bytes,
            position,
        } = history.append(message, topics.clone())?;
        fanout.publish(&topics, &bytes, position);
        Ok(Published::new(Some(id)))
    }

    async fn subscribe(&self, subscription: Subscription) -> Result<Subscriber, SubscribeError> {
        self.begin(subscription).await
    }

    async fn shutdown(&self) -> Result<(), ProviderClosed> {
        match &self.writer {
            Some(writer) => writer.close().await,
            None => self.shared.close(),
        }
    }

    fn closed(&self) -> Closed {
        let mut closed = self.shared.closed.subscribe();
        Box::pin(async move {
            // An error means that it is gone, which closed it.
            let _ = closed.wait_for(|closed| *closed).await;
        })
    }
}

/// Ends the streams, after everything that was published: without a handle nobody can publish any
/// more.
impl Drop for Joe {
    fn drop(&mut self) {
        // With a writer, its thread closes once it has delivered what it was given.
        if self.writer.is_none() {
            let _ = self.shared.close();
        }
    }
}

impl fmt::Debug for Joe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Joe")
            .field("history", &self.history)
            .field("overflow", &self.shared.overflow)
            .field("fanout", &self.shared.fanout)
            .finish_non_exhaustive()
    }
}
