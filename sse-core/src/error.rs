//! The errors of a provider, one type per operation.
//!
//! The text of each is complete and says what to do. It holds the cause, which is therefore not
//! told a second time as the [`source`](std::error::Error::source).

use std::{error::Error, fmt};

use crate::{replay::StoreError, resume::Gap};

/// The provider was shut down.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the provider is shut down; connect again once the service has restarted")]
pub struct ProviderClosed;

/// The reason why a message was not published. Nobody received it and it is not in the history.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The provider was shut down.
    #[error(transparent)]
    Closed(#[from] ProviderClosed),
    /// There is nothing in the message.
    #[error("the message is empty; give it data, an id, a retry time or a comment")]
    Empty,
    /// The message is larger than the provider allows.
    #[error(
        "the message has {size} bytes, the limit is {limit}; send less, or raise the provider's limit"
    )]
    TooLarge {
        /// Bytes of data and comment.
        size: usize,
        /// The most bytes allowed.
        limit: usize,
    },
    /// The id is longer than [`EventId::MAX_BYTES`](crate::EventId::MAX_BYTES): no client could
    /// resume from it.
    #[error("the id has {size} bytes, the limit is {limit}; use a shorter id")]
    IdTooLong {
        /// Bytes of the id.
        size: usize,
        /// The most bytes allowed.
        limit: usize,
    },
    /// The type is longer than [`EventType::MAX_BYTES`](crate::EventType::MAX_BYTES).
    #[error("the type has {size} bytes, the limit is {limit}; use a shorter type")]
    TypeTooLong {
        /// Bytes of the type.
        size: usize,
        /// The most bytes allowed.
        limit: usize,
    },
    /// There are more topics than one message may be published to.
    #[error("the message has {count} topics, the limit is {limit}; publish to fewer")]
    TooManyTopics {
        /// Topics of the message.
        count: usize,
        /// The most topics allowed.
        limit: usize,
    },
    /// The name of a topic is longer than the hub allows or than the history can store.
    #[error("a topic has {size} bytes, the limit is {limit}; use a shorter name")]
    TopicTooLong {
        /// Bytes of the name.
        size: usize,
        /// The most bytes allowed.
        limit: usize,
    },
    /// The type is [`Gap::EVENT`](crate::resume::Gap::EVENT): only a provider tells a client of a
    /// gap.
    #[error("the type `gap` is the library's own, by which clients are told of a gap; use another")]
    ReservedType,
    /// The history failed. Where a disk has failed, the message may be there once the store is
    /// opened again.
    #[error("the message could not be stored: {0}")]
    Store(StoreError),
    /// Another failure of the provider's engine.
    #[error("the provider failed: {0}")]
    Provider(Box<dyn Error + Send + Sync>),
}

/// A topic that the history cannot store is the publisher's error, not the history's.
impl From<StoreError> for PublishError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::TopicTooLong { size, limit } => Self::TopicTooLong { size, limit },
            other => Self::Store(other),
        }
    }
}

/// The reason why a client was not subscribed.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum SubscribeError {
    /// The provider was shut down.
    #[error(transparent)]
    Closed(#[from] ProviderClosed),
    /// There are as many subscribers as the provider allows.
    #[error("all {limit} places are taken; try again later")]
    Full {
        /// The most subscribers allowed.
        limit: usize,
    },
    /// The client cannot continue where it was, and the subscription asks to be refused then:
    /// [`OnGap::Refuse`](crate::OnGap::Refuse).
    #[error("{0}; load the current state, then connect without a last event id")]
    Gap(Gap),
    /// The history could not be read.
    #[error("the history could not be read: {0}")]
    Store(StoreError),
    /// The tokio runtime has no clock, which keep-alive and the send time-out of a stream need.
    #[error(
        "the tokio runtime has no clock; build it with `enable_all` or `enable_time`, or turn the \
         hub's keep-alive and send time-out off"
    )]
    NoClock,
    /// There are more topics than one subscription may have.
    #[error("the subscription has {count} topics, the limit is {limit}; ask for fewer")]
    TooManyTopics {
        /// Topics asked for.
        count: usize,
        /// The most topics allowed.
        limit: usize,
    },
    /// The name of a topic is longer than the hub allows or than the history can hold.
    #[error("a topic has {size} bytes, the limit is {limit}; ask for a shorter name")]
    TopicTooLong {
        /// Bytes of the name.
        size: usize,
        /// The most bytes allowed.
        limit: usize,
    },
    /// Another failure of the provider's engine.
    #[error("the provider failed: {0}")]
    Provider(Box<dyn Error + Send + Sync>),
}

/// A topic that the history cannot hold is the client's error, not the history's.
impl From<StoreError> for SubscribeError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::TopicTooLong { size, limit } => Self::TopicTooLong { size, limit },
            other => Self::Store(other),
        }
    }
}

/// The text of an error as its `Debug`, which is what a `main` prints that returns it: the name of
/// a variant would not say what to do.
macro_rules! debug_is_the_text {
    ($($error:ty),* $(,)?) => {$(
        impl fmt::Debug for $error {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    )*};
}

debug_is_the_text!(ProviderClosed, PublishError, SubscribeError);
