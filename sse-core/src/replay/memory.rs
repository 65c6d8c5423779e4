//! The replayers in memory.

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{
    Cursor, Page, Position, ReadError, Replayer, StoreError, Stored, log::Log, tail::Bounds,
};
use crate::{topics::Topics, wire::EventId, wire::Message};

/// Keeps the most recent messages in memory: a number of them, in up to 64 MiB.
///
/// Each further bound holds beside the others, whichever is reached first. Expired messages are
/// dropped whenever the history is used; there is no timer.
///
/// ```
/// use std::time::Duration;
/// use sse_core::{FiniteReplayer, Joe};
///
/// let history = FiniteReplayer::new(100_000)?
///     .max_age(Duration::from_secs(3600))
///     .max_topic_messages(1_000); // a busy topic does not push out a quiet one's
/// let joe = Joe::builder().replayer(history).build();
/// # Ok::<(), sse_core::replay::InvalidBound>(())
/// ```
pub struct FiniteReplayer(Memory);

/// Keeps messages in memory for a time, in up to 64 MiB.
///
/// Like [`FiniteReplayer`] in all but its first bound.
///
/// ```
/// use std::time::Duration;
/// use sse_core::{Joe, ValidReplayer};
///
/// let joe = Joe::builder().replayer(ValidReplayer::new(Duration::from_secs(300))?).build();
/// # Ok::<(), sse_core::replay::InvalidBound>(())
/// ```
pub struct ValidReplayer(Memory);

/// A history was asked for that could hold nothing.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a history bounded to zero {what} would keep nothing; use at least one, or no replayer")]
pub struct InvalidBound {
    what: &'static str,
}

struct Memory {
    log: Mutex<Log>,
    clock: Box<dyn Fn() -> Instant + Send + Sync>,
}

impl FiniteReplayer {
    /// Keeps this many messages over all topics; at least one.
    pub fn new(messages: usize) -> Result<Self, InvalidBound> {
        if messages == 0 {
            return Err(InvalidBound { what: "messages" });
        }
        Ok(Self(Memory::new(Bounds {
            messages,
            ..Bounds::default()
        })))
    }
}

impl ValidReplayer {
    /// Keeps each message this long; not zero.
    pub fn new(age: Duration) -> Result<Self, InvalidBound> {
        if age.is_zero() {
            return Err(InvalidBound { what: "seconds" });
        }
        Ok(Self(Memory::new(Bounds {
            age: Some(age),
            ..Bounds::default()
        })))
    }
}

/// The same bounds for both.
macro_rules! replayers {
    ($($name:ident),*) => {$(
        impl $name {
            /// Sets how many messages are kept over all topics; the newest always.
            #[must_use]
            pub fn max_messages(self, messages: usize) -> Self {
                self.0.log().tail.bounds.messages = messages;
                self
            }

            /// Sets how many bytes of memory the messages may take, about; by default 64 MiB. The newest
            /// message is kept whatever its size.
            #[must_use]
            pub fn max_bytes(self, bytes: usize) -> Self {
                self.0.log().tail.bounds.bytes = bytes;
                self
            }

            /// Sets how long a message is kept.
            #[must_use]
            pub fn max_age(self, age: Duration) -> Self {
                self.0.log().tail.bounds.age = Some(age);
                self
            }

            /// Sets how many messages of a topic are kept; the newest always. A message of several topics is
            /// there until the last of them drops it.
            #[must_use]
            pub fn max_topic_messages(self, messages: usize) -> Self {
                self.0.log().tail.bounds.topic_messages = messages;
                self
            }

            /// Sets how many bytes of memory the messages of a topic may take, about; the newest is always kept.
            #[must_use]
            pub fn max_topic_bytes(self, bytes: usize) -> Self {
                self.0.log().tail.bounds.topic_bytes = bytes;
                self
            }

            /// Sets the clock, for tests; by default [`Instant::now`].
            #[must_use]
            pub fn clock(mut self, clock: impl Fn() -> Instant + Send + Sync + 'static) -> Self {
                self.0.clock = Box::new(clock);
                self
            }
        }

        impl Replayer for $name {
            fn put(&self, message: Message, topics: &Topics) -> Result<Stored, StoreError> {
                if topics.is_empty() {
                    return Err(StoreError::no_topics());
                }
                Ok(self.0.log().put(message, topics, self.0.now()))
            }

            fn end(&self) -> Position {
                self.0.log().end()
            }

            fn cursor_id(&self, from: Cursor, topics: &Topics) -> EventId {
                self.0.log().cursor_id(from, topics, self.0.now())
            }

            fn earliest(&self, _: &Topics) -> Cursor {
                self.0.log().earliest(self.0.now())
            }

            fn seek(&self, id: &EventId, topics: &Topics) -> Result<Cursor, ReadError> {
                Ok(self.0.log().seek(id, topics, self.0.now())?)
            }

            fn page(
                &self,
                from: Cursor,
                until: Position,
                topics: &Topics,
            ) -> Result<Page, ReadError> {
                Ok(self.0.log().page(from, until, topics, self.0.now())?)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.0.log()).finish()
            }
        }
    )*};
}

replayers!(FiniteReplayer, ValidReplayer);

impl Memory {
    fn new(bounds: Bounds) -> Self {
        Self {
            log: Mutex::new(Log::new(bounds)),
            clock: Box::new(Instant::now),
        }
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Instant {
        (self.clock)()
    }
}
