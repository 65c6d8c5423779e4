//! `Segment`: a part of the history that is dropped as a whole.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use fjall::{Keyspace, Slice};
use sse_core::{EventId, Topics, replay::Position};

use crate::{
    error::EngineError,
    record::{
        Body, Commit, Record, body_key, explicit_id_key, known_id_key, message_key, position,
    },
};

/// The messages from one position on; the newest segment grows.
pub(crate) struct Segment {
    pub keyspace: Keyspace,
    /// The position before its first message.
    pub after: u64,
    /// This and everything below is of the messages that have been committed.
    last: AtomicU64,
    bytes: AtomicU64,
    oldest: AtomicU64,
    newest: AtomicU64,
}

/// A value that holds a message, from a place on.
pub(crate) struct Found(Slice, usize);

/// The message on the wire.
impl AsRef<[u8]> for Found {
    fn as_ref(&self) -> &[u8] {
        &self.0[self.1..]
    }
}

impl From<Found> for Bytes {
    fn from(found: Found) -> Self {
        Self::copy_from_slice(found.as_ref())
    }
}

impl Segment {
    /// Returns the name of the segment that begins after a position. Names sort as positions do.
    pub(crate) fn name(after: u64) -> String {
        format!("segment-{after:020}")
    }

    /// Returns the position in a name.
    pub(crate) fn after(name: &str) -> Option<u64> {
        name.strip_prefix("segment-")?.parse().ok()
    }

    pub(crate) fn open(keyspace: Keyspace, after: u64) -> Result<Self, EngineError> {
        let segment = Self {
            keyspace,
            after,
            last: AtomicU64::new(after),
            bytes: AtomicU64::new(0),
            oldest: AtomicU64::new(u64::MAX),
            newest: AtomicU64::new(0),
        };
        let first = segment.commits().next().transpose()?;
        let last = segment.commits().next_back().transpose()?;
        for commit in first.iter().chain(&last) {
            segment.has_committed(commit);
        }
        Ok(segment)
    }

    pub(crate) fn has_committed(&self, commit: &Commit) {
        self.bytes.store(commit.bytes, Ordering::Relaxed);
        self.oldest.fetch_min(commit.time, Ordering::Relaxed);
        self.newest.fetch_max(commit.time, Ordering::Relaxed);
        self.last.store(commit.last, Ordering::Release);
    }

    /// Returns the position after the newest message.
    pub(crate) fn last(&self) -> u64 {
        self.last.load(Ordering::Acquire)
    }

    pub(crate) fn messages(&self) -> u64 {
        self.last() - self.after
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.messages() == 0
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Returns the time at which the oldest message was stored.
    pub(crate) fn oldest(&self) -> u64 {
        self.oldest.load(Ordering::Relaxed)
    }

    /// Returns the time at which the newest message was stored.
    pub(crate) fn newest(&self) -> u64 {
        self.newest.load(Ordering::Relaxed)
    }

    /// Returns the commits, in order.
    pub(crate) fn commits(
        &self,
    ) -> impl DoubleEndedIterator<Item = Result<Commit, EngineError>> + use<> {
        let range = Commit::key(0)..=Commit::key(u64::MAX);
        self.keyspace.range(range).map(|entry| {
            let (key, value) = entry.into_inner()?;
            let at = position(&key).unwrap_or_default();
            Commit::read(&key, &value).ok_or(EngineError::Damaged(at))
        })
    }

    /// Finds the message of these topics at a position. Returns `true` if its id is explicit.
    pub(crate) fn has_explicit_id(
        &self,
        position: u64,
        topics: &Topics,
    ) -> Result<Option<bool>, EngineError> {
        for topic in topics.iter() {
            if let Some(value) = self.keyspace.get(message_key(topic, position))? {
                let record = Record::read(&value).ok_or(EngineError::Damaged(position))?;
                return Ok(Some(record.has_explicit_id));
            }
        }
        Ok(None)
    }

    /// Finds the oldest message of these topics after a position with this explicit id.
    pub(crate) fn explicit_position(
        &self,
        id: &EventId,
        after: Position,
        topics: &Topics,
    ) -> Result<Option<Position>, EngineError> {
        // Most ids that somebody asks for are in no segment, or in one.
        if self.keyspace.get(known_id_key(id))?.is_none() {
            return Ok(None);
        }
        let mut oldest = None;
        for topic in topics.iter() {
            let from = explicit_id_key(topic, id, after.0.saturating_add(1));
            let mut range = self
                .keyspace
                .range(from..=explicit_id_key(topic, id, u64::MAX));
            if let Some(entry) = range.next() {
                let at = position(&entry.key()?).ok_or(EngineError::Damaged(0))?;
                oldest = Some(oldest.map_or(at, |oldest: u64| oldest.min(at)));
            }
        }
        Ok(oldest.map(Position))
    }

    /// Returns the messages of a topic between two positions.
    pub(crate) fn messages_of(
        &self,
        topic: &str,
        Position(after): Position,
        Position(until): Position,
    ) -> impl Iterator<Item = Result<(Position, Found), EngineError>> {
        let from = message_key(topic, after.saturating_add(1));
        let range = (after < until).then(|| self.keyspace.range(from..=message_key(topic, until)));
        range.into_iter().flatten().map(|entry| {
            let (key, value) = entry.into_inner()?;
            let at = position(&key).ok_or(EngineError::Damaged(0))?;
            let damaged = || EngineError::Damaged(at);
            let found = match Record::read(&value).ok_or_else(damaged)?.body {
                Body::Here(_) => Found(value, Record::FLAGS),
                Body::Apart => {
                    let bytes = self.keyspace.get(body_key(at))?;
                    Found(bytes.ok_or_else(damaged)?, 0)
                }
            };
            Ok((Position(at), found))
        })
    }
}
