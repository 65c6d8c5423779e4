//! History: what is kept of the past and how a subscriber reads it.

mod cursor;
mod epoch;
mod lane;
mod log;
mod memory;
mod tail;

use std::{error::Error, fmt};

use bytes::Bytes;

pub use cursor::Cursor;
pub use epoch::Epoch;
pub use memory::{FiniteReplayer, InvalidBound, ValidReplayer};
pub use tail::Tail;

use crate::{resume::Gap, topics::Topics, wire::EventId, wire::Message};

/// A log of messages from which subscribers continue after a reconnect.
///
/// A provider stores one message, or one batch, at a time, in the order of delivery, and calls the other
/// methods from anywhere at any time. `sse-conformance` holds the suite.
///
/// History is read in pages, so that a long one is neither copied whole nor locked
/// while a slow client takes it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no replayer",
    label = "Joe keeps history in a replayer, such as `FiniteReplayer`",
    note = "what makes one returns a `Result`, such as `FiniteReplayer::new`: add `?`"
)]
pub trait Replayer: fmt::Debug + Send + Sync + 'static {
    /// Appends a message, which has data or an id, and gives it an id if it has none.
    ///
    /// Generated ids are at most 128 bytes of `[0-9A-Za-z._~-]` and are never given out again, also
    /// not after a restart: see [`Epoch`]. When this returns, the message survives what the
    /// replayer says that it survives. On an error it is not in the history; after the failure of a
    /// disk it may be there once the store is opened again. A message of no topics is refused:
    /// nobody could ever ask for it.
    fn put(&self, message: Message, topics: &Topics) -> Result<Stored, StoreError>;

    /// Appends several in order, as [`put`](Self::put) does each: one answer for each.
    ///
    /// For replayers to which a batch costs little more than a message.
    fn put_all(&self, messages: Vec<(Message, Topics)>) -> Vec<Result<Stored, StoreError>> {
        let put = |(message, topics)| self.put(message, &topics);
        messages.into_iter().map(put).collect()
    }

    /// The position after the newest message.
    fn end(&self) -> Position;

    /// Returns the id of a place between messages, which [`seek`](Self::seek) takes back for the same topics.
    ///
    /// For a client that has been given no message yet, and so no id. [`Cursor::EARLIEST`] stands for what is
    /// kept now. Does not wait. [`Epoch::cursor_id`] makes one.
    fn cursor_id(&self, from: Cursor, topics: &Topics) -> EventId;

    /// Returns the cursor of a reader of these topics that begins now with everything that is kept:
    /// what is dropped later is a loss to it. Does not wait.
    fn earliest(&self, topics: &Topics) -> Cursor;

    /// Finds the message with this id, the oldest where several have it, or the place that
    /// [`cursor_id`](Self::cursor_id) gave it, and returns the cursor behind it.
    ///
    /// The message must be one of these topics, and a place must be of exactly these: an id learnt from one topic
    /// opens nothing of another. `Ok` promises that everything of these topics after the cursor is still there.
    fn seek(&self, id: &EventId, topics: &Topics) -> Result<Cursor, ReadError>;

    /// Reads the messages of these topics between a cursor and a position, as many as make a reasonable write.
    ///
    /// A page may be empty though there is more: go on from [`Page::next`] until it is the end.
    /// [`Gap`] if messages were dropped that the cursor does not leave out.
    fn page(&self, from: Cursor, until: Position, topics: &Topics) -> Result<Page, ReadError>;

    /// As [`seek`](Self::seek), if that needs no waiting; `None` if it might.
    fn seek_now(&self, id: &EventId, topics: &Topics) -> Option<Result<Cursor, ReadError>> {
        (!self.may_wait()).then(|| self.seek(id, topics))
    }

    /// As [`page`](Self::page), if that needs no waiting; `None` if it might.
    fn page_now(
        &self,
        from: Cursor,
        until: Position,
        topics: &Topics,
    ) -> Option<Result<Page, ReadError>> {
        (!self.may_wait()).then(|| self.page(from, until, topics))
    }

    /// Whether these methods may wait, for a disk or another machine: a provider then calls them from threads that may.
    ///
    /// By default they may not.
    fn may_wait(&self) -> bool {
        false
    }
}

/// A place between two messages of a log. Later places are greater; 0 is before all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(pub u64);

impl Position {
    /// Returns the position after one more message.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

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
    pub bytes: Bytes,
    /// The cursor from which the next page is read.
    pub next: Cursor,
}

impl Page {
    /// How many bytes make a reasonable write. A page has no more, unless it is a single message.
    pub const BYTES: usize = 64 << 10;
}

/// Why history could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// It is not there, or no longer.
    #[error(transparent)]
    Gap(#[from] Gap),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The failure of a store. After one that was about a message the caller may try again.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StoreError(#[source] Box<dyn Error + Send + Sync>);

impl StoreError {
    /// A message of no topics was to be stored. For replayers.
    pub fn no_topics() -> Self {
        Self::new("the message has no topics, so nobody could ask for it; name one")
    }

    /// Wraps the error of a store.
    pub fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(error.into())
    }
}
