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
    subscriber::Subscriber,
    subscription::Subscription,
    topics::Topics,
    wire::Message,
};

/// The default provider: publishes to the subscribers in this process.
///
/// Live messages go through a [`Fanout`](crate::fanout::Fanout): each topic has one queue of
/// encoded messages, each subscriber is a cursor, and a reader takes everything that is pending in
/// one piece. No task and no timer per subscriber, and nobody waits for anybody.
///
/// **Bounded**: a queue holds what its slowest reader has not read, within
/// [`Bounds`](crate::fanout::Bounds). What becomes of a reader that falls behind further is
/// [`Overflow`](crate::Overflow)'s: by default it continues from the history, unseen by the client;
/// where there is none, or not enough of it, its stream ends cleanly, and the client reconnects
/// with its `Last-Event-ID`.
///
/// **History** is whatever [`Replayer`](crate::replay::Replayer) is given. Without one a client
/// that comes back is told of a [`Gap`](crate::resume::Gap), unless nothing was published since its
/// stream began. A message that is only a comment or a `retry` is delivered live but not kept. One
/// that waits for a disk is written to from a thread of its own, many messages at once, and read by
/// [as many as may](JoeBuilder::concurrent_replays) on the threads that tokio has for what waits.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
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
    /// Where the history may wait.
    writer: Option<Writer>,
}

impl Joe {
    /// Joe without history.
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Sets up history and bounds.
    pub fn builder() -> JoeBuilder {
        JoeBuilder::default()
    }

    /// How many subscribers there are now.
    pub fn subscribers(&self) -> usize {
        self.shared.fanout.subscribers()
    }

    /// How many bytes are queued now for subscribers that have not read them.
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
        let mut id = message.id.clone();
        self.shared
            .fanout
            .publish(&topics, |position| match &self.history {
                Some(history) if is_kept(&message) => {
                    let stored = history.append(message, topics.clone())?;
                    id = Some(stored.id);
                    Ok::<_, PublishError>((stored.bytes, stored.position))
                }
                // Without history a position counts what a client could have missed.
                None if is_kept(&message) => Ok((message.to_bytes(), position.next())),
                _ => Ok((message.to_bytes(), position)),
            })?;
        Ok(Published::new(id))
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
            // An error says that it is gone, which closed it.
            let _ = closed.wait_for(|closed| *closed).await;
        })
    }
}

/// When the last handle is gone, nobody can publish any more: the streams end, after what was published.
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
