//! `Joe`, the default provider: everything in this process.

mod builder;
mod history;
mod reader;
mod writer;

use std::{fmt, sync::Arc};

use async_trait::async_trait;

pub use self::builder::JoeBuilder;
use self::{
    history::History,
    reader::{Place, Reader},
    writer::Writer,
};
use crate::{
    error::{ProviderClosed, PublishError, SubscribeError},
    fanout::Fanout,
    field::EventId,
    message::Message,
    overflow::Overflow,
    provider::{Provider, Published},
    replay::{Position, ReadError},
    resume::{Gap, Outcome, ResumeFrom},
    subscriber::Subscriber,
    subscription::{OnGap, Subscription},
    topics::Topics,
};

/// The default provider: publishes to the subscribers in this process.
///
/// Live messages go through a [`Fanout`]: each topic has one queue of encoded messages, each subscriber is a cursor, and
/// a reader takes everything that is pending in one piece. No task and no timer per subscriber, and nobody waits for anybody.
///
/// **Bounded**: a queue holds what its slowest reader has not read, within [`Bounds`](crate::Bounds). What becomes of a
/// reader that falls behind further is [`Overflow`]'s: by default it continues from the history, unseen by
/// the client; where there is none, or not enough of it, its stream ends cleanly, and the client
/// reconnects with its `Last-Event-ID`.
///
/// **History** is whatever [`Replayer`](crate::Replayer) is given; without one every `Last-Event-ID` is a [`Gap`].
/// A message that is only a comment or a `retry` is delivered live but not kept. One that waits for a disk
/// is written to from a thread of its own, many messages at once, and read by
/// [as many as may](JoeBuilder::concurrent_replays) on the threads that tokio has for what waits.
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
    /// Where the history may wait.
    writer: Option<Writer>,
}

/// What Joe and his readers have in common.
#[derive(Debug)]
struct Shared {
    /// Its lock is held over `put`, where that does not wait: the order of the history is the order of delivery.
    fanout: Fanout,
    history: Option<Arc<History>>,
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
        if topics.is_empty() && !self.shared.fanout.is_closed() {
            return Ok(Published::new(None));
        }
        if let Some(writer) = &self.writer {
            return writer.publish(message, topics).await;
        }
        let mut id = message.event_id().cloned();
        self.shared
            .fanout
            .publish(&topics, |position| match &self.shared.history {
                Some(history) if message.is_kept() => {
                    let stored = history.replayer.put(message, &topics)?;
                    id = Some(stored.id);
                    Ok::<_, PublishError>((stored.bytes, stored.position))
                }
                _ => Ok((message.to_bytes(), position)),
            })?;
        Ok(Published::new(id))
    }

    async fn subscribe(&self, subscription: Subscription) -> Result<Subscriber, SubscribeError> {
        let shared = &self.shared;
        let (outcome, begin) = shared.begin(&subscription).await?;
        let mut position = None;
        let listener = shared.fanout.listen(subscription.topics(), |newest| {
            position = match begin {
                Begin::Live => Some(newest),
                Begin::After(position) => Some(position),
                Begin::Earliest => None,
            };
            position == Some(newest)
        })?;
        let place = if listener.has_joined() {
            Place::Live
        } else {
            Place::History
        };
        let on_gap = subscription.gap_policy();
        let reader = Reader::new(Arc::clone(shared), listener, place, position, on_gap);
        Ok(Subscriber::new(outcome, reader))
    }

    async fn shutdown(&self) -> Result<(), ProviderClosed> {
        match &self.writer {
            Some(writer) => writer.close().await,
            None => self.shared.fanout.close(),
        }
    }
}

/// Where a subscriber begins.
enum Begin {
    /// With what is published next.
    Live,
    After(Position),
    /// With the oldest that is kept.
    Earliest,
}

impl Shared {
    async fn begin(&self, subscription: &Subscription) -> Result<(Outcome, Begin), SubscribeError> {
        let found = match (subscription.start(), &self.history) {
            (ResumeFrom::Latest, _) | (ResumeFrom::Earliest, None) => {
                return Ok((Outcome::Fresh, Begin::Live));
            }
            (ResumeFrom::Earliest, Some(_)) => {
                return Ok((Outcome::Recovered, Begin::Earliest));
            }
            (ResumeFrom::After(id), Some(history)) => {
                let (own_id, own_topics) = (id.clone(), subscription.topics().clone());
                let seek = history.read(
                    |replayer| replayer.seek_now(id, subscription.topics()),
                    move |replayer| replayer.seek(&own_id, &own_topics),
                );
                seek.wait().await
            }
            (ResumeFrom::After(_), None) | (ResumeFrom::Unreadable, _) => Err(Gap::Unknown.into()),
        };
        match found {
            Ok(position) => Ok((Outcome::Recovered, Begin::After(position))),
            Err(ReadError::Gap(gap)) => {
                let begin = match (subscription.gap_policy(), &self.history) {
                    (OnGap::Replay, Some(_)) => Begin::Earliest,
                    _ => Begin::Live,
                };
                Ok((subscription.gap(gap)?, begin))
            }
            Err(ReadError::Store(error)) => Err(error.into()),
        }
    }
}

impl fmt::Debug for Joe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Joe")
            .field("history", &self.shared.history)
            .field("overflow", &self.shared.overflow)
            .field("fanout", &self.shared.fanout)
            .finish_non_exhaustive()
    }
}
