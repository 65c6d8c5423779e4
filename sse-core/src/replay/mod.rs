//! History: what is kept of the past and how a subscriber reads it.

mod finite;
mod log;
mod valid;

use std::{error::Error, fmt};

use bytes::Bytes;

pub use finite::FiniteReplayer;
pub use log::InvalidBound;
pub use valid::ValidReplayer;

use crate::{field::EventId, message::Message, resume::Gap, topics::Topics};

/// A log of messages from which subscribers continue after a reconnect.
///
/// A provider calls `put` for one message at a time, in the order of delivery, and the other
/// methods from anywhere at any time. None of them waits for a network: a store
/// behind one is a [`Provider`](crate::Provider) of its own. `sse-conformance` holds the suite.
///
/// History is read in pages, so that a long one is neither copied whole nor locked
/// while a slow client takes it.
pub trait Replayer: fmt::Debug + Send + Sync + 'static {
    /// Appends a message, which has data or an id, and gives it an id if it has none.
    ///
    /// Generated ids are at most 128 bytes of `[0-9A-Za-z._~-]` and are
    /// never given out again, also not after a restart. On an error nothing is stored.
    fn put(&self, message: Message, topics: &Topics) -> Result<Stored, PutError>;

    /// The position after the newest message.
    fn end(&self) -> Position;

    /// The position after the message with this id; after the oldest where several have it.
    ///
    /// The message must be one of these topics: an id learnt from one topic opens nothing of another.
    /// `Ok` promises that everything after the position is still there.
    fn seek(&self, id: &EventId, topics: &Topics) -> Result<Position, Gap>;

    /// The messages of these topics that follow a position, as many as make a reasonable write.
    ///
    /// A page may be empty though there is more: go on from [`Page::next`] until it is [`end`](Self::end).
    /// `Gap` if messages after the position were dropped in the meantime.
    fn page(&self, after: Position, topics: &Topics) -> Result<Page, Gap>;
}

/// A place between two messages of a log. Later places are greater.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(pub u64);

/// What [`Replayer::put`] stored and what is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The id of the message: its own or a generated one.
    pub id: EventId,
    /// The message on the wire, with the id.
    pub bytes: Bytes,
    /// The position after it.
    pub position: Position,
}

/// A part of the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Whole messages on the wire, in order.
    pub messages: Vec<Bytes>,
    /// Where the next page begins.
    pub next: Position,
}

/// Why a message could not be stored. The caller may try again.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct PutError(#[source] Box<dyn Error + Send + Sync>);

impl PutError {
    /// Wraps the error of a store.
    pub fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(error.into())
    }
}
