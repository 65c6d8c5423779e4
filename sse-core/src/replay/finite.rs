//! `FiniteReplayer`: the most recent messages.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use super::{
    Page, Position, PutError, Replayer, Stored,
    log::{Bounds, InvalidBound, Log},
};
use crate::{field::EventId, message::Message, resume::Gap, topics::Topics};

/// Keeps the most recent messages in memory, up to a number and up to 64 MiB.
///
/// ```
/// use sse_core::{FiniteReplayer, Joe};
///
/// let joe = Joe::builder().replayer(FiniteReplayer::new(10_000)?).build();
/// # Ok::<(), sse_core::InvalidBound>(())
/// ```
#[derive(Debug)]
pub struct FiniteReplayer {
    log: Mutex<Log>,
}

impl FiniteReplayer {
    /// Keeps this many messages over all topics; at least one.
    pub fn new(messages: usize) -> Result<Self, InvalidBound> {
        if messages == 0 {
            return Err(InvalidBound { what: "messages" });
        }
        let log = Log::new(Bounds {
            messages,
            ..Bounds::default()
        });
        Ok(Self {
            log: Mutex::new(log),
        })
    }

    /// Sets how many bytes of memory the messages may take, about; by default 64 MiB. The newest message is always kept.
    #[must_use]
    pub fn max_bytes(self, bytes: usize) -> Self {
        self.log().bounds.bytes = bytes;
        self
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Replayer for FiniteReplayer {
    fn put(&self, message: Message, topics: &Topics) -> Result<Stored, PutError> {
        Ok(self.log().put(message, topics, Instant::now()))
    }

    fn end(&self) -> Position {
        self.log().end()
    }

    fn seek(&self, id: &EventId, topics: &Topics) -> Result<Position, Gap> {
        self.log().seek(id, topics, Instant::now())
    }

    fn page(&self, after: Position, topics: &Topics) -> Result<Page, Gap> {
        self.log().page(after, topics, Instant::now())
    }
}
