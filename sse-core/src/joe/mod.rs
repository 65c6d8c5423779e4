//! `Joe`, the default provider: everything in this process.

mod audience;
mod reader;
mod registry;

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;

use self::{audience::Budget, reader::Reader, registry::Registry};
use crate::{
    error::{ProviderClosed, PublishError, SubscribeError},
    field::EventId,
    message::Message,
    provider::{Provider, Published},
    replay::{Position, Replayer},
    resume::{Gap, Outcome, ResumeFrom},
    subscriber::Subscriber,
    subscription::Subscription,
    topics::Topics,
};

/// The default provider: publishes to the subscribers in this process.
///
/// Subscribers with the same topics share one queue of encoded messages; each is a cursor into it.
/// Publishing appends once to each queue that matches and wakes its readers; a reader takes
/// everything that is pending in one piece. No task and no timer per subscriber, and nobody waits for anybody.
///
/// **Bounded**: a queue holds what its slowest reader has not read, up to
/// [`queue_messages`](JoeBuilder::queue_messages) and [`queue_bytes`](JoeBuilder::queue_bytes), and all
/// queues together up to [`total_bytes`](JoeBuilder::total_bytes). A reader that falls behind further
/// continues from the history, unseen by the client; where there is none, or not enough of it, its stream
/// ends cleanly, and the client reconnects with its `Last-Event-ID`.
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
    config: Config,
    replayer: Option<Box<dyn Replayer>>,
}

#[derive(Clone, Copy, Debug)]
struct Config {
    queue_messages: usize,
    queue_bytes: usize,
    total_bytes: usize,
    message_bytes: usize,
    subscribers: usize,
    topics: usize,
}

/// What Joe and his readers have in common.
struct Shared {
    config: Config,
    replayer: Option<Box<dyn Replayer>>,
    budget: Budget,
    subscribers: AtomicUsize,
    /// Held over `put` and append, and over catching up and joining: the order of the
    /// history is the order of delivery, and nothing falls between the two.
    registry: Mutex<Registry>,
}

impl Joe {
    /// Joe without history.
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Sets up history and bounds.
    pub fn builder() -> JoeBuilder {
        JoeBuilder {
            config: Config::default(),
            replayer: None,
        }
    }

    /// How many subscribers there are now.
    pub fn subscribers(&self) -> usize {
        self.shared.subscribers.load(Ordering::Relaxed)
    }

    fn check(&self, message: &Message) -> Result<(), PublishError> {
        let limit = self.shared.config.message_bytes;
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
        let registry = self.shared.registry();
        registry.check_open()?;
        let kept = message.payload().is_some() || message.event_id().is_some();
        let (bytes, id) = match &self.shared.replayer {
            Some(replayer) if kept => {
                let stored = replayer.put(message, &topics)?;
                (stored.bytes, Some(stored.id))
            }
            _ => (message.to_bytes(), message.event_id().cloned()),
        };
        let wakers = registry.append(&topics, &bytes, self.shared.history_end(), &self.shared);
        drop(registry);
        wakers.into_iter().for_each(std::task::Waker::wake);
        Ok(Published::new(id))
    }

    async fn subscribe(&self, subscription: Subscription) -> Result<Subscriber, SubscribeError> {
        let config = &self.shared.config;
        let count = subscription.topics().len();
        if count > config.topics {
            let limit = config.topics;
            return Err(SubscribeError::TooManyTopics { count, limit });
        }
        let mut registry = self.shared.registry();
        registry.check_open()?;
        let limit = config.subscribers;
        if self.subscribers() >= limit {
            return Err(SubscribeError::Full { limit });
        }
        let (outcome, position) = self.shared.seek(&subscription);
        let reader = Reader::new(&self.shared, &mut registry, subscription.topics(), position);
        Ok(Subscriber::new(outcome, reader))
    }

    async fn shutdown(&self) -> Result<(), ProviderClosed> {
        let wakers = self.shared.registry().close()?;
        wakers.into_iter().for_each(std::task::Waker::wake);
        Ok(())
    }
}

impl Shared {
    fn registry(&self) -> MutexGuard<'_, Registry> {
        // A panic under the lock can only come from a replayer, before anything of ours was changed.
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn history_end(&self) -> Position {
        self.replayer
            .as_ref()
            .map_or(Position::default(), |replayer| replayer.end())
    }

    /// Where a subscriber begins to read, and what it is told.
    fn seek(&self, subscription: &Subscription) -> (Outcome, Position) {
        let found = match (subscription.start(), &self.replayer) {
            (ResumeFrom::Latest, _) => return (Outcome::Fresh, self.history_end()),
            (ResumeFrom::After(id), Some(replayer)) => replayer.seek(id, subscription.topics()),
            (ResumeFrom::After(_), None) | (ResumeFrom::Unreadable, _) => Err(Gap::Unknown),
        };
        match found {
            Ok(position) => (Outcome::Recovered, position),
            Err(gap) => (Outcome::Gap(gap), self.history_end()),
        }
    }
}

impl JoeBuilder {
    /// Keeps history, from which clients continue after a reconnect.
    pub fn replayer(mut self, replayer: impl Replayer) -> Self {
        self.replayer = Some(Box::new(replayer));
        self
    }

    /// Sets how many messages a reader may fall behind before it continues from the history or ends; by default 1,024.
    pub fn queue_messages(mut self, messages: usize) -> Self {
        self.config.queue_messages = messages.max(1);
        self
    }

    /// Sets how many bytes a reader may fall behind, beside its newest message; by default 1 MiB.
    pub fn queue_bytes(mut self, bytes: usize) -> Self {
        self.config.queue_bytes = bytes;
        self
    }

    /// Sets how many bytes all queues together may hold, beside the newest message of each; by default 256 MiB.
    ///
    /// Reached, the queue that is being published to gives way: its slowest readers
    /// continue from the history or end.
    pub fn total_bytes(mut self, bytes: usize) -> Self {
        self.config.total_bytes = bytes;
        self
    }

    /// Sets the most bytes of data and comment in a message; by default 1 MiB. More is a [`PublishError::TooLarge`].
    pub fn message_bytes(mut self, bytes: usize) -> Self {
        self.config.message_bytes = bytes;
        self
    }

    /// Sets the most subscribers; by default as many as there is memory for. More is a [`SubscribeError::Full`].
    pub fn max_subscribers(mut self, subscribers: usize) -> Self {
        self.config.subscribers = subscribers;
        self
    }

    /// Sets the most topics of one subscription; by default 128. More is a [`SubscribeError::TooManyTopics`].
    pub fn max_topics(mut self, topics: usize) -> Self {
        self.config.topics = topics;
        self
    }

    /// Joe, ready for a [`Hub`](crate::Hub).
    pub fn build(self) -> Joe {
        Joe {
            shared: Arc::new(Shared {
                budget: Budget::new(self.config.total_bytes),
                config: self.config,
                replayer: self.replayer,
                subscribers: AtomicUsize::new(0),
                registry: Mutex::new(Registry::default()),
            }),
        }
    }
}

/// Enough for a burst while a client's network hiccups, little enough for thousands of queues.
impl Default for Config {
    fn default() -> Self {
        Self {
            queue_messages: 1_024,
            queue_bytes: 1 << 20,
            total_bytes: 256 << 20,
            message_bytes: 1 << 20,
            subscribers: usize::MAX,
            topics: 128,
        }
    }
}

impl fmt::Debug for Joe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Joe")
            .field("config", &self.shared.config)
            .field("replayer", &self.shared.replayer)
            .field("subscribers", &self.subscribers())
            .field("queued_bytes", &self.shared.budget.used())
            .finish()
    }
}
