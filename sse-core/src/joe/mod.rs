//! `Joe`, the default provider: everything in this process.

mod reader;

use std::{fmt, sync::Arc};

use async_trait::async_trait;

use self::reader::{Place, Reader};
use crate::{
    error::{ProviderClosed, PublishError, SubscribeError},
    fanout::{Bounds, Fanout},
    field::EventId,
    message::Message,
    overflow::Overflow,
    provider::{Provider, Published},
    replay::{Position, Replayer},
    resume::{Gap, Outcome, ResumeFrom},
    subscriber::Subscriber,
    subscription::Subscription,
    topics::Topics,
};

/// The default provider: publishes to the subscribers in this process.
///
/// Live messages go through a [`Fanout`]: each topic has one queue of encoded messages, each subscriber is a cursor, and
/// a reader takes everything that is pending in one piece. No task and no timer per subscriber, and nobody waits for anybody.
///
/// **Bounded**: a queue holds what its slowest reader has not read, within [`Bounds`]. What becomes of a
/// reader that falls behind further is [`Overflow`]'s: by default it continues from the history, unseen by
/// the client; where there is none, or not enough of it, its stream ends cleanly, and the client
/// reconnects with its `Last-Event-ID`.
///
/// **History** is whatever [`Replayer`] is given; without one every `Last-Event-ID` is a [`Gap`].
/// A message that is only a comment or a `retry` is delivered live but not kept.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use sse_core::{FiniteReplayer, Hub, Joe, Message, Subscription};
///
/// let hub = Hub::new(Joe::builder().replayer(FiniteReplayer::new(1_000)?).build());
/// let body = hub.subscribe(Subscription::to("news")).await?;
/// hub.publish(Message::data("hello"), "news").await?;
/// # Ok(()) }
/// ```
pub struct Joe {
    shared: Arc<Shared>,
}

/// Sets up a [`Joe`].
#[derive(Debug)]
#[must_use = "a builder does nothing until it builds"]
pub struct JoeBuilder {
    bounds: Bounds,
    replayer: Option<Box<dyn Replayer>>,
    overflow: Overflow,
    message_bytes: usize,
}

/// What Joe and his readers have in common.
#[derive(Debug)]
struct Shared {
    /// Its lock is held over `put`: the order of the history is the order of delivery.
    fanout: Fanout,
    replayer: Option<Box<dyn Replayer>>,
    overflow: Overflow,
    message_bytes: usize,
}

impl Joe {
    /// Joe without history.
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Sets up history and bounds.
    pub fn builder() -> JoeBuilder {
        JoeBuilder {
            bounds: Bounds::default(),
            replayer: None,
            overflow: Overflow::default(),
            message_bytes: 1 << 20,
        }
    }

    /// How many subscribers there are now.
    pub fn subscribers(&self) -> usize {
        self.shared.fanout.subscribers()
    }

    /// How many bytes are queued now for subscribers that have not read them.
    pub fn queued_bytes(&self) -> usize {
        self.shared.fanout.queued_bytes()
    }

    fn check(&self, message: &Message) -> Result<(), PublishError> {
        let limit = self.shared.message_bytes;
        let size =
            message.payload().map_or(0, str::len) + message.comment_text().map_or(0, str::len);
        let id_size = message.event_id().map_or(0, |id| id.as_str().len());
        if message.is_empty() {
            Err(PublishError::Empty)
        } else if size > limit {
            Err(PublishError::TooLarge { size, limit })
        } else if id_size > EventId::MAX_BYTES {
            Err(PublishError::IdTooLong {
                size: id_size,
                limit: EventId::MAX_BYTES,
            })
        } else {
            Ok(())
        }
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
        self.check(&message)?;
        let is_kept = message.payload().is_some() || message.event_id().is_some();
        let mut id = message.event_id().cloned();
        self.shared.fanout.publish(&topics, || {
            let Some(replayer) = &self.shared.replayer else {
                return Ok((message.to_bytes(), Position::default()));
            };
            if !is_kept {
                return Ok((message.to_bytes(), replayer.end()));
            }
            let stored = replayer.put(message, &topics)?;
            id = Some(stored.id);
            Ok::<_, PublishError>((stored.bytes, stored.position))
        })?;
        Ok(Published::new(id))
    }

    async fn subscribe(&self, subscription: Subscription) -> Result<Subscriber, SubscribeError> {
        let shared = &self.shared;
        let found = shared.seek(&subscription);
        let mut position = found.unwrap_or_default();
        let is_up_to_date = || {
            let end = shared.history_end();
            if found.is_err() {
                position = end;
            }
            position == end
        };
        let topics = subscription.topics();
        let listener = shared.fanout.listen(topics, is_up_to_date)?;
        let outcome = found.map_or_else(|outcome| outcome, |_| Outcome::Recovered);
        Ok(Subscriber::new(
            outcome,
            Reader {
                place: if listener.has_joined() {
                    Place::Live
                } else {
                    Place::History
                },
                shared: Arc::clone(shared),
                listener,
                position,
                on_gap: subscription.gap_policy(),
            },
        ))
    }

    async fn shutdown(&self) -> Result<(), ProviderClosed> {
        self.shared.fanout.close()
    }
}

impl Shared {
    fn history_end(&self) -> Position {
        self.replayer
            .as_ref()
            .map_or(Position::default(), |replayer| replayer.end())
    }

    /// Where a subscriber continues, or what it is told when it begins with the next message.
    fn seek(&self, subscription: &Subscription) -> Result<Position, Outcome> {
        let found = match (subscription.start(), &self.replayer) {
            (ResumeFrom::Latest, _) => return Err(Outcome::Fresh),
            (ResumeFrom::After(id), Some(replayer)) => replayer.seek(id, subscription.topics()),
            (ResumeFrom::After(_), None) | (ResumeFrom::Unreadable, _) => Err(Gap::Unknown),
        };
        found.map_err(Outcome::Gap)
    }
}

impl JoeBuilder {
    /// Keeps history, from which clients continue after a reconnect.
    pub fn replayer(mut self, replayer: impl Replayer) -> Self {
        self.replayer = Some(Box::new(replayer));
        self
    }

    /// Sets what becomes of a reader that falls behind further than the queues hold; by default [`Overflow::CatchUp`].
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = overflow;
        self
    }

    /// Sets [`Bounds::queue_messages`].
    pub fn queue_messages(mut self, messages: usize) -> Self {
        self.bounds.queue_messages = messages;
        self
    }

    /// Sets [`Bounds::queue_bytes`].
    pub fn queue_bytes(mut self, bytes: usize) -> Self {
        self.bounds.queue_bytes = bytes;
        self
    }

    /// Sets [`Bounds::total_bytes`].
    pub fn total_bytes(mut self, bytes: usize) -> Self {
        self.bounds.total_bytes = bytes;
        self
    }

    /// Sets [`Bounds::subscribers`]. More is a [`SubscribeError::Full`], which adapters answer with 503 and `Retry-After`.
    pub fn max_subscribers(mut self, subscribers: usize) -> Self {
        self.bounds.subscribers = subscribers;
        self
    }

    /// Sets [`Bounds::topics`]. More is a [`SubscribeError::TooManyTopics`].
    pub fn max_topics(mut self, topics: usize) -> Self {
        self.bounds.topics = topics;
        self
    }

    /// Sets the most bytes of data and comment in a message; by default 1 MiB. More is a [`PublishError::TooLarge`].
    pub fn message_bytes(mut self, bytes: usize) -> Self {
        self.message_bytes = bytes;
        self
    }

    /// Joe, ready for a [`Hub`](crate::Hub).
    pub fn build(self) -> Joe {
        Joe {
            shared: Arc::new(Shared {
                fanout: Fanout::new(self.bounds),
                replayer: self.replayer,
                overflow: self.overflow,
                message_bytes: self.message_bytes,
            }),
        }
    }
}

impl fmt::Debug for Joe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Joe")
            .field("replayer", &self.shared.replayer)
            .field("overflow", &self.shared.overflow)
            .field("fanout", &self.shared.fanout)
            .finish_non_exhaustive()
    }
}
