//! A provider of your own, here over [`tokio::sync::broadcast`]. `main.rs` serves it,
//! `tests/suite.rs` shows that it keeps to the contract of [`Provider`].
//!
//! Any engine has to do this: deliver in one order, give each stream a place to come back to
//! ([`Subscriber::beginning_at`]), say that a client may have missed something ([`Outcome`]), and
//! end a stream rather than leave a message out of it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream;
use sse_axum::sse_core::{
    Message, PublishError, ResumeFrom, SubscribeError, Subscription, Topics,
    provider::{Provider, ProviderClosed, Published, Subscriber},
    replay::{Cursor, Epoch, Position},
    resume::{Gap, Outcome},
};
use tokio::sync::broadcast::{self, Receiver, Sender};

/// The most bytes of a message, for
/// [`HubBuilder::message_bytes`](sse_axum::sse_core::hub::HubBuilder::message_bytes). With the
/// capacity it bounds the memory: subscribers share their messages.
pub const MESSAGE_BYTES: usize = 64 << 10;

/// Publish-subscribe over one broadcast channel, without history.
///
/// A subscriber that falls behind by more messages than the channel holds loses its place; its
/// stream ends there, so that the client connects again and is told of the gap.
#[derive(Debug)]
pub struct Broadcast {
    /// The prefix of the places at which streams begin; those of another run are not known here.
    epoch: Epoch,
    channel: Mutex<Channel>,
}

#[derive(Debug)]
struct Channel {
    /// `None` after shutdown.
    sender: Option<Sender<Delivery>>,
    /// The number of messages so far.
    position: Position,
}

/// A message on its way: encoded once, shared by all.
#[derive(Clone, Debug)]
struct Delivery {
    topics: Topics,
    bytes: Bytes,
}

impl Broadcast {
    /// Creates a provider that keeps this many messages, at least one, for subscribers that are
    /// behind.
    pub fn new(capacity: usize) -> Self {
        let (sender, _) = broadcast::channel(capacity.max(1));
        Self {
            epoch: Epoch::random(),
            channel: Mutex::new(Channel {
                sender: Some(sender),
                position: Position::default(),
            }),
        }
    }

    fn channel(&self) -> MutexGuard<'_, Channel> {
        self.channel.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the outcome for a client that begins at a position.
    fn outcome(
        &self,
        subscription: &Subscription,
        position: Position,
    ) -> Result<Outcome, SubscribeError> {
        let ResumeFrom::After(id) = &subscription.resume_from else {
            return match &subscription.resume_from {
                ResumeFrom::Latest | ResumeFrom::Earliest => Ok(Outcome::Fresh),
                _ => subscription.outcome_of(Gap::Unknown),
            };
        };
        match self.epoch.cursor(id, &subscription.topics) {
            Some(cursor) if cursor.after == position => Ok(Outcome::Recovered),
            // Something was published since, and it is not kept.
            Some(cursor) if cursor.after < position => subscription.outcome_of(Gap::Expired),
            _ => subscription.outcome_of(Gap::Unknown),
        }
    }
}

#[async_trait]
impl Provider for Broadcast {
    async fn publish(&self, message: Message, topics: Topics) -> Result<Published, PublishError> {
        let bytes = message.to_bytes();
        let mut channel = self.channel();
        let sender = channel.sender.clone().ok_or(ProviderClosed)?;
        if topics.is_empty() {
            return Ok(Published::new(None));
        }
        channel.position = channel.position.next();
        // An error says that nobody is subscribed, which is none.
        let _ = sender.send(Delivery { topics, bytes });
        Ok(Published::new(message.id.clone()))
    }

    async fn subscribe(&self, subscription: Subscription) -> Result<Subscriber, SubscribeError> {
        let (receiver, position) = {
            let channel = self.channel();
            let sender = channel.sender.as_ref().ok_or(ProviderClosed)?;
            (sender.subscribe(), channel.position)
        };
        let outcome = self.outcome(&subscription, position)?;
        let topics = subscription.topics.clone();
        let id = self.epoch.cursor_id(Cursor::after(position), &topics);
        let deliveries = stream::unfold((receiver, topics), next);
        Ok(Subscriber::new(outcome, deliveries).beginning_at(id))
    }

    async fn shutdown(&self) -> Result<(), ProviderClosed> {
        // Without a sender, receivers get the rest of the channel and then its end.
        self.channel().sender.take().map(drop).ok_or(ProviderClosed)
    }
}

/// Returns the next message of these topics. `None` at the end, and for a subscriber that has lost
/// messages: never silently.
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
