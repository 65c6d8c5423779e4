//! A provider of your own, here over [`tokio::sync::broadcast`]. `main.rs` serves it, `tests/suite.rs` shows that it keeps to the
//! contract of [`Provider`].
//!
//! What it takes, for any engine: refuse what no client could use, deliver in one order, say what a client may have missed
//! ([`Outcome`]), and end a stream rather than leave something out of it.

use std::sync::{PoisonError, RwLock};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream;
use sse_axum::{
    EventId, Gap, Message, Outcome, Provider, ProviderClosed, PublishError, Published, ResumeFrom,
    SubscribeError, Subscriber, Subscription, Topics,
};
use tokio::sync::broadcast::{self, Receiver, Sender};

/// The most bytes of a message. With the capacity it bounds the memory: no subscriber holds messages of its own.
const MOST_BYTES: usize = 64 << 10;

/// Publish-subscribe over one broadcast channel, without history.
///
/// A subscriber that falls behind by more messages than the channel holds loses its place; its stream ends there, so that
/// the client connects again and is told of the gap.
#[derive(Debug)]
pub struct Broadcast {
    /// `None` after shutdown.
    sender: RwLock<Option<Sender<Delivery>>>,
}

/// A message on its way: encoded once, shared by all.
#[derive(Clone, Debug)]
struct Delivery {
    topics: Topics,
    bytes: Bytes,
}

impl Broadcast {
    /// A provider that keeps so many messages, at least one, for subscribers that are behind.
    pub fn new(capacity: usize) -> Self {
        let (sender, _) = broadcast::channel(capacity.max(1));
        Self {
            sender: RwLock::new(Some(sender)),
        }
    }

    /// The sending half, for as long as there is one.
    fn sender(&self) -> Result<Sender<Delivery>, ProviderClosed> {
        let sender = self.sender.read().unwrap_or_else(PoisonError::into_inner);
        sender.clone().ok_or(ProviderClosed)
    }
}

#[async_trait]
impl Provider for Broadcast {
    async fn publish(&self, message: Message, topics: Topics) -> Result<Published, PublishError> {
        check(&message)?;
        let sender = self.sender()?;
        if topics.is_empty() {
            return Ok(Published::new(None));
        }
        let bytes = message.to_bytes();
        // An error says that nobody is subscribed, which is none.
        let _ = sender.send(Delivery { topics, bytes });
        Ok(Published::new(message.event_id().cloned()))
    }

    async fn subscribe(&self, subscription: Subscription) -> Result<Subscriber, SubscribeError> {
        let receiver = self.sender()?.subscribe();
        let outcome = match subscription.start() {
            ResumeFrom::Latest | ResumeFrom::Earliest => Outcome::Fresh,
            // There is no history to continue from.
            _ => subscription.gap(Gap::Unknown)?,
        };
        let state = (receiver, subscription.topics().clone());
        Ok(Subscriber::new(outcome, stream::unfold(state, next)))
    }

    async fn shutdown(&self) -> Result<(), ProviderClosed> {
        let mut sender = self.sender.write().unwrap_or_else(PoisonError::into_inner);
        // Without a sender, receivers get what is left in the channel and then its end.
        sender.take().map(drop).ok_or(ProviderClosed)
    }
}

/// Refuses what no client could use, or what would break the bound on memory.
fn check(message: &Message) -> Result<(), PublishError> {
    if message.is_empty() {
        return Err(PublishError::Empty);
    }
    let id = message.event_id().map_or("", EventId::as_str);
    if id.len() > EventId::MAX_BYTES {
        let (size, limit) = (id.len(), EventId::MAX_BYTES);
        return Err(PublishError::IdTooLong { size, limit });
    }
    let text = |text: Option<&str>| text.map_or(0, str::len);
    let size = text(message.payload()) + text(message.comment_text());
    if size > MOST_BYTES {
        let limit = MOST_BYTES;
        return Err(PublishError::TooLarge { size, limit });
    }
    Ok(())
}

/// The next message of these topics. `None` at the end, and for a subscriber that has lost messages: never silently.
async fn next(
    (mut receiver, topics): (Receiver<Delivery>, Topics),
) -> Option<(Bytes, (Receiver<Delivery>, Topics))> {
    while let Ok(delivery) = receiver.recv().await {
        if delivery.topics.matches(&topics) {
            return Some((delivery.bytes, (receiver, topics)));
        }
    }
    None
}
