//! `StoreError` and `ReadError`: the failures of a history.

use std::error::Error;

use crate::resume::Gap;

/// The failure of a history to store or to read.
///
/// Its text is complete; the error inside [`Engine`](Self::Engine) and [`Damaged`](Self::Damaged)
/// is part of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The message has no topics. The next message may succeed.
    #[error("the message has no topics, so nobody could ask for it; name one")]
    NoTopics,
    /// A topic is longer than the store can hold. The next message may succeed.
    #[error("a topic has {size} bytes, the limit is {limit}; use a shorter name")]
    TopicTooLong {
        /// Bytes of the topic.
        size: usize,
        /// The most bytes allowed.
        limit: usize,
    },
    /// The store has failed before and takes nothing more, or nothing until its disk has room.
    #[error(
        "the store has failed before and takes nothing more; if the disk is full, make room and \
         try again, else open the store again"
    )]
    Stopped,
    /// A stored message is not as it was written.
    #[error(transparent)]
    Damaged(Box<dyn Error + Send + Sync>),
    /// The engine of the store failed: a disk, a network, another machine. The caller may try
    /// again.
    #[error(transparent)]
    Engine(Box<dyn Error + Send + Sync>),
}

impl StoreError {
    /// Wraps the error of a store's engine.
    pub fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Engine(error.into())
    }
}

/// The failure to read a history.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The messages are not there, or no longer.
    #[error(transparent)]
    Gap(#[from] Gap),
    /// The answer is not in memory, and [`Blocking`](super::Blocking) was forbidden.
    #[error("the answer is not in memory; ask again where blocking is allowed")]
    WouldBlock,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ReadError {
    /// Tells a gap from a failure of the replayer, for a caller that allowed it to block.
    pub(crate) fn into_gap(self) -> Result<Gap, StoreError> {
        match self {
            Self::Gap(gap) => Ok(gap),
            Self::Store(error) => Err(error),
            Self::WouldBlock => Err(StoreError::new(
                "the replayer would block although it is allowed to; its code needs a fix",
            )),
        }
    }
}
