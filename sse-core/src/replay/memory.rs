//! `MemoryReplayer`: a history in memory.

use std::{
    fmt,
    marker::PhantomData,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{
    Blocking, Cursor, Epoch, Page, Position, ReadError, Replayer, StoreError, Stored,
    tail::{Bounds, Tail},
    topic_log::Origin,
};
use crate::{
    resume::Gap,
    topics::Topics,
    wire::{EventId, Message},
};

/// Keeps the most recent messages in memory: a number of them, in up to 64 MiB.
///
/// ```
/// use std::time::Duration;
/// use sse_core::{FiniteReplayer, Joe};
///
/// let history = FiniteReplayer::new(100_000)
///     .max_age(Duration::from_secs(3600))
///     .max_topic_messages(1_000); // a busy topic does not push out a quiet one's
/// let joe = Joe::builder().replayer(history).build();
/// ```
pub type FiniteReplayer = MemoryReplayer<usize>;

/// Keeps messages in memory for a time, in up to 64 MiB.
///
/// ```
/// use std::time::Duration;
/// use sse_core::{Joe, ValidReplayer};
///
/// let joe = Joe::builder().replayer(ValidReplayer::new(Duration::from_secs(300))).build();
/// ```
pub type ValidReplayer = MemoryReplayer<Duration>;

/// A history in memory: a [`FiniteReplayer`] or a [`ValidReplayer`].
///
/// They differ in the bound that they are made with, which is the type parameter. Each further
/// bound holds in addition, so that the first to be reached counts. Expired messages are dropped
/// whenever the history is used; there is no timer.
pub struct MemoryReplayer<Bound> {
    tail: Mutex<Tail>,
    epoch: Epoch,
    clock: Box<dyn Fn() -> Instant + Send + Sync>,
    bound: PhantomData<fn(Bound)>,
}

impl MemoryReplayer<usize> {
    /// Keeps this many messages over all topics. The newest message is always kept, so that zero
    /// is the same as one.
    pub fn new(messages: usize) -> Self {
        Self::unbounded().max_messages(messages)
    }
}

impl MemoryReplayer<Duration> {
    /// Keeps each message this long; at least a millisecond.
    pub fn new(age: Duration) -> Self {
        Self::unbounded().max_age(age)
    }
}

impl<Bound> MemoryReplayer<Bound> {
    /// Sets how many messages are kept over all topics; the newest is always kept.
    #[must_use]
    pub fn max_messages(mut self, messages: usize) -> Self {
        self.bounds().messages = messages;
        self
    }

    /// Sets how many bytes of memory the messages and their topics may take, about; by default
    /// 64 MiB. The newest message is always kept.
    ///
    /// Up to an eighth of it is for topics whose messages are gone, at most 10,000 of them: a
    /// client that has the last message of such a topic is not told of a gap.
    #[must_use]
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.bounds().bytes = bytes;
        self
    }

    /// Sets how long a message is kept; at least a millisecond.
    #[must_use]
    pub fn max_age(mut self, age: Duration) -> Self {
        self.bounds().age = Some(age.max(Duration::from_millis(1)));
        self
    }

    /// Sets how many messages of a topic are kept; the newest is always kept. A message of several
    /// topics is there until the last of them drops it.
    #[must_use]
    pub fn max_topic_messages(mut self, messages: usize) -> Self {
        self.bounds().topic_messages = messages;
        self
    }

    /// Sets how many bytes of memory the messages of a topic may take, about; the newest is always
    /// kept. The name of the topic is not among them.
    #[must_use]
    pub fn max_topic_bytes(mut self, bytes: usize) -> Self {
        self.bounds().topic_bytes = bytes;
        self
    }

    /// Sets the clock, for tests; by default [`Instant::now`].
    #[must_use]
    pub fn clock(mut self, clock: impl Fn() -> Instant + Send + Sync + 'static) -> Self {
        self.clock = Box::new(clock);
        self
    }

    fn unbounded() -> Self {
        Self {
            tail: Mutex::new(Tail::bounded(Bounds::default(), Position(0))),
            epoch: Epoch::random(),
            clock: Box::new(Instant::now),
            bound: PhantomData,
        }
    }

    fn bounds(&mut self) -> &mut Bounds {
        let tail = self.tail.get_mut();
        &mut tail.unwrap_or_else(PoisonError::into_inner).bounds
    }

    fn tail(&self) -> MutexGuard<'_, Tail> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the messages that are kept now.
    fn current_tail(&self) -> MutexGuard<'_, Tail> {
        let mut tail = self.tail();
        tail.evict((self.clock)());
        tail
    }

    /// Finds the place, or the message of these topics, to which this history gave an id.
    fn generated_cursor(&self, tail: &Tail, id: &EventId, topics: &Topics) -> Result<Cursor, Gap> {
        if let Some(cursor) = self.epoch.cursor(id, topics) {
            let is_there = cursor.after <= tail.newest();
            return is_there.then_some(cursor).ok_or(Gap::Unknown);
        }
        let position = self.epoch.position(id).ok_or(Gap::Unknown)?;
        if tail.origin(position, topics) == Some(Origin::Generated) {
            Ok(Cursor::after(position))
        } else if position > Position(0) && position < tail.start(topics) {
            Err(Gap::Expired)
        } else {
            Err(Gap::Unknown)
        }
    }
}

impl<Bound: 'static> Replayer for MemoryReplayer<Bound> {
    fn append(&self, batch: Vec<(Message, Topics)>) -> Vec<Result<Stored, StoreError>> {
        let mut tail = self.tail();
        let now = (self.clock)();
        let append = |(message, topics): (Message, Topics)| {
            if topics.is_empty() {
                return Err(StoreError::NoTopics);
            }
            let explicit_id = message.id.clone();
            let stored = Stored::new(message, &self.epoch, tail.newest().next());
            let bytes = stored.bytes.clone();
            tail.push_at(stored.position, explicit_id, &topics, bytes, now);
            Ok(stored)
        };
        batch.into_iter().map(append).collect()
    }

    fn end(&self) -> Position {
        self.tail().newest()
    }

    fn cursor_id(&self, from: Cursor, topics: &Topics) -> EventId {
        let from = self.current_tail().advance(from, from.after);
        self.epoch.cursor_id(from, topics)
    }

    fn earliest(&self, _: &Topics) -> Cursor {
        self.current_tail().earliest()
    }

    fn seek(&self, id: &EventId, topics: &Topics, _: Blocking) -> Result<Cursor, ReadError> {
        let tail = self.current_tail();
        let cursor = match tail.explicit_position(id, topics) {
            Some(position) => Cursor::after(position),
            None => self.generated_cursor(&tail, id, topics)?,
        };
        if tail.is_missed(cursor, topics) {
            return Err(Gap::Expired.into());
        }
        Ok(cursor)
    }

    fn page(
        &self,
        from: Cursor,
        until: Position,
        topics: &Topics,
        _: Blocking,
    ) -> Result<Page, ReadError> {
        Ok(self.current_tail().page(from, until, topics)?)
    }
}

impl<Bound> fmt::Debug for MemoryReplayer<Bound> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MemoryReplayer")
            .field(&*self.tail())
            .finish()
    }
}
