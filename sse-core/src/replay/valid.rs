//! `ValidReplayer`: the messages that have not expired.

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{
    Page, Position, PutError, Replayer, Stored,
    log::{Bounds, InvalidBound, Log},
};
use crate::{field::EventId, message::Message, resume::Gap, topics::Topics};

/// Keeps messages in memory for a time, up to 64 MiB.
///
/// Expired messages are dropped whenever the log is used; there is no timer.
///
/// ```
/// use std::time::Duration;
/// use sse_core::{Joe, ValidReplayer};
///
/// let joe = Joe::builder().replayer(ValidReplayer::new(Duration::from_secs(300))?).build();
/// # Ok::<(), sse_core::InvalidBound>(())
/// ```
pub struct ValidReplayer {
    log: Mutex<Log>,
    clock: Box<dyn Fn() -> Instant + Send + Sync>,
}

impl ValidReplayer {
    /// Keeps each message this long; not zero.
    pub fn new(age: Duration) -> Result<Self, InvalidBound> {
        if age.is_zero() {
            return Err(InvalidBound { what: "seconds" });
        }
        let log = Log::new(Bounds {
            age: Some(age),
            ..Bounds::default()
        });
        Ok(Self {
            log: Mutex::new(log),
            clock: Box::new(Instant::now),
        })
    }

    /// Sets how many bytes of memory the messages may take, about; by default 64 MiB. The newest message is
    /// kept whatever its size, until it expires.
    #[must_use]
    pub fn max_bytes(self, bytes: usize) -> Self {
        self.log().bounds.bytes = bytes;
        self
    }

    /// Sets the clock, for tests; by default [`Instant::now`].
    #[must_use]
    pub fn clock(mut self, clock: impl Fn() -> Instant + Send + Sync + 'static) -> Self {
        self.clock = Box::new(clock);
        self
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Replayer for ValidReplayer {
    fn put(&self, message: Message, topics: &Topics) -> Result<Stored, PutError> {
        Ok(self.log().put(message, topics, (self.clock)()))
    }

    fn end(&self) -> Position {
        self.log().end()
    }

    fn seek(&self, id: &EventId, topics: &Topics) -> Result<Position, Gap> {
        self.log().seek(id, topics, (self.clock)())
    }

    fn page(&self, after: Position, topics: &Topics) -> Result<Page, Gap> {
        self.log().page(after, topics, (self.clock)())
    }
}

impl fmt::Debug for ValidReplayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ValidReplayer")
            .field("log", &self.log)
            .finish_non_exhaustive()
    }
}
