//! `Limits`: the check that every message and every subscription passes before a provider gets it.

use crate::{
    error::{PublishError, SubscribeError},
    resume::Gap,
    topics::Topics,
    wire::{EventId, EventType, Message},
};

/// The most that a message or a subscription may have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) message_bytes: usize,
    pub(super) topic_bytes: usize,
    pub(super) topics: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes: 1 << 20,
            topic_bytes: 1 << 10,
            topics: 128,
        }
    }
}

impl Limits {
    /// Returns the message as it is published, or the reason why it is refused.
    ///
    /// An empty id counts as none: it would make clients forget where they are, and what they then
    /// miss would be missed in silence.
    pub(super) fn accept(
        self,
        mut message: Message,
        topics: &Topics,
    ) -> Result<Message, PublishError> {
        self.check_topics(topics)?;
        message.id = message.id.filter(|id| !id.is_empty());
        if message.is_empty() {
            return Err(PublishError::Empty);
        }
        let texts = [&message.data, &message.comment];
        let size = texts.into_iter().flatten().map(|text| text.len()).sum();
        let limit = self.message_bytes;
        if size > limit {
            return Err(PublishError::TooLarge { size, limit });
        }
        let size = message.id.as_ref().map_or(0, |id| id.as_str().len());
        let limit = EventId::MAX_BYTES;
        if size > limit {
            return Err(PublishError::IdTooLong { size, limit });
        }
        let size = message.event.as_ref().map_or(0, |it| it.as_str().len());
        let limit = EventType::MAX_BYTES;
        if size > limit {
            return Err(PublishError::TypeTooLong { size, limit });
        }
        if message.event == Some(Gap::EVENT) {
            return Err(PublishError::ReservedType);
        }
        Ok(message)
    }

    /// Refuses too many topics, and one whose name is too long. Looks at no more names than are
    /// allowed.
    pub(super) fn check_topics(self, topics: &Topics) -> Result<(), Excess> {
        let (count, limit) = (topics.len(), self.topics);
        if count > limit {
            return Err(Excess::Topics { count, limit });
        }
        let limit = self.topic_bytes;
        match topics.iter().map(str::len).find(|size| *size > limit) {
            Some(size) => Err(Excess::Name { size, limit }),
            None => Ok(()),
        }
    }
}

/// The reason why topics are refused, the same for publishing and for subscribing.
pub(super) enum Excess {
    Topics { count: usize, limit: usize },
    Name { size: usize, limit: usize },
}

impl From<Excess> for PublishError {
    fn from(excess: Excess) -> Self {
        match excess {
            Excess::Topics { count, limit } => Self::TooManyTopics { count, limit },
            Excess::Name { size, limit } => Self::TopicTooLong { size, limit },
        }
    }
}

impl From<Excess> for SubscribeError {
    fn from(excess: Excess) -> Self {
        match excess {
            Excess::Topics { count, limit } => Self::TooManyTopics { count, limit },
            Excess::Name { size, limit } => Self::TopicTooLong { size, limit },
        }
    }
}
