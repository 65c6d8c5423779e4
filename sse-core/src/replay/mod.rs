//! The history of a provider: the messages that are kept, and the way to write one's own.
//!
//! An application needs [`FiniteReplayer`], [`ValidReplayer`] or the crate `sse-store`, and nothing
//! else of this module.
//!
//! # Writing a replayer
//!
//! 1. Implement [`Replayer`] for your type: messages come in batches and are read in pages. Count
//!    them with a [`Position`], which rises by one with each.
//! 2. Let [`Stored::new`] give each message its id and its bytes. An [`Epoch`] makes ids, and reads
//!    them back, also those of places between messages.
//! 3. Merge topics with a [`PageBuilder`]. A [`Cursor`] says up to where a reader has read, and
//!    which losses it need not be told of; a reader that would miss anything else gets a
//!    [`ReadError`] that is a [`Gap`](crate::resume::Gap).
//! 4. If a disk or another machine is involved, say so with [`Replayer::is_blocking`]. A [`Tail`]
//!    keeps the newest messages in memory, from which most readers can be answered without it.
//! 5. Run the replayer suite of `sse-conformance` on it.

mod cursor;
mod epoch;
mod error;
mod memory;
mod page;
mod tail;
mod topic_log;

use std::fmt;

use bytes::Bytes;

pub use cursor::{Cursor, Position};
pub use epoch::Epoch;
pub use error::{ReadError, StoreError};
pub use memory::{FiniteReplayer, MemoryReplayer, ValidReplayer};
pub use page::{Page, PageBuilder};
pub use tail::Tail;

use crate::{
    topics::Topics,
    wire::{EventId, Message},
};

/// A log of messages from which subscribers continue after a reconnect.
///
/// A provider appends one batch at a time, in the order of delivery, and calls the other methods
/// from any thread at any time. History is read in pages, so that a long one is neither copied
/// whole nor locked while a slow client takes it. The crate `sse-conformance` holds the suite that
/// a replayer must pass; this one, which keeps everything, passes it:
///
/// ```
#[doc = include_str!("../../tests/replayers/keeps_all.rs")]
///
/// let history = KeepsAll { epoch: Epoch::random(), log: Mutex::default() };
/// let joe = sse_core::Joe::builder().replayer(history).build();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no replayer",
    label = "Joe keeps history in a replayer, such as `FiniteReplayer`",
    note = "opening a replayer that stores on disk returns a `Result`: add `?`"
)]
pub trait Replayer: fmt::Debug + Send + Sync + 'static {
    /// Appends messages in order and answers for each of them, in the same order.
    ///
    /// Each message has data or an id, and is given an id if it has none: see [`Stored::new`].
    /// Generated ids are at most 128 bytes of `[0-9A-Za-z._~-]` and are never given out again, also
    /// not after a restart: see [`Epoch`]. When this returns, the messages survive whatever the
    /// replayer promises that they survive.
    ///
    /// A message whose answer is an error is not in the history; after the failure of a disk it may
    /// be there once the store is opened again. The other messages of the batch are not affected.
    /// A message of no topics is refused with [`StoreError::NoTopics`].
    fn append(&self, batch: Vec<(Message, Topics)>) -> Vec<Result<Stored, StoreError>>;

    /// Returns the position after the newest message. Does not block.
    fn end(&self) -> Position;

    /// Returns the id of a place between messages, which [`seek`](Self::seek) takes back for the
    /// same topics. Does not block.
    ///
    /// For a client that has been given no message yet, and so no id. [`Cursor::EARLIEST`] stands
    /// for everything that is kept now. [`Epoch::cursor_id`] makes such ids.
    fn cursor_id(&self, from: Cursor, topics: &Topics) -> EventId;

    /// Returns the cursor of a reader of these topics that begins now with everything that is kept:
    /// a message that is dropped later is a loss to this reader. Does not block.
    fn earliest(&self, topics: &Topics) -> Cursor;

    /// Finds the message with this id, the oldest if several have it, or the place to which
    /// [`cursor_id`](Self::cursor_id) gave this id, and returns the cursor behind it.
    ///
    /// The message must be one of these topics, and a place must be of exactly these topics: an id
    /// learnt from one topic opens nothing of another. `Ok` promises that everything of these
    /// topics after the cursor is still there.
    fn seek(&self, id: &EventId, topics: &Topics, blocking: Blocking) -> Result<Cursor, ReadError>;

    /// Reads the messages of these topics between a cursor and a position, as many as make a
    /// [page](Page::BYTES): see [`PageBuilder`].
    ///
    /// A page may be empty although there is more: read on from [`Page::next`] until it is the end.
    /// The answer is a [`Gap`](crate::resume::Gap) if messages were dropped that the cursor does
    /// not leave out.
    fn page(
        &self,
        from: Cursor,
        until: Position,
        topics: &Topics,
        blocking: Blocking,
    ) -> Result<Page, ReadError>;

    /// Waits until everything that was appended is where neither the end of the process nor that of
    /// the machine reaches it. The history can be used as before.
    ///
    /// A provider calls this when it is shut down, and when nobody can publish any more. By default
    /// it does nothing, for a history that promises no more than `append` has kept already.
    fn flush(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Returns `true` if `append`, `seek`, `page` and `flush` may block, on a disk or another
    /// machine. A provider then calls them on threads where blocking is allowed.
    ///
    /// By default they do not, and can ignore [`Blocking`].
    fn is_blocking(&self) -> bool {
        false
    }
}

/// Says if the caller of a [`Replayer`] can wait for a disk or another machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Blocking {
    /// The answer must come from memory, or be [`ReadError::WouldBlock`], as with a non-blocking
    /// read of the standard library.
    Forbidden,
    /// The calling thread is one that may block.
    Allowed,
}

impl Blocking {
    /// Returns [`ReadError::WouldBlock`] where blocking is forbidden: for replayers, to be called
    /// before they turn to a disk.
    pub fn check(self) -> Result<(), ReadError> {
        match self {
            Self::Forbidden => Err(ReadError::WouldBlock),
            Self::Allowed => Ok(()),
        }
    }
}

/// A message as [`Replayer::append`] has stored it, to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The id of the message: its explicit id or a generated one.
    pub id: EventId,
    /// The message on the wire, with the id.
    pub bytes: Bytes,
    /// The position after it.
    pub position: Position,
}

impl Stored {
    /// Encodes the message that ends at a position, with its explicit id or, if it has none, with
    /// that of its position.
    pub fn new(message: Message, epoch: &Epoch, position: Position) -> Self {
        let explicit_id = message.id.clone();
        let id = explicit_id.unwrap_or_else(|| epoch.id(position));
        let bytes = message.id(id.clone()).to_bytes();
        Self {
            id,
            bytes,
            position,
        }
    }
}
