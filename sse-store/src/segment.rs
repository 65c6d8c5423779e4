//! A segment: a part of the history that is dropped as a whole.

use std::{
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use fjall::{Keyspace, LsmError, Slice};
use sse_core::{EventId, Topics, replay::Position};

use crate::{
    error::OpenError,
    record::{Body, Commit, Record, message_key, own_id_prefix, position},
};

/// Messages from one position on; the newest segment grows.
pub(crate) struct Segment {
    pub(crate) keyspace: Keyspace,
    /// The position before its first message.
    pub(crate) after: u64,
    /// Everything below is of what has been committed.
    last: AtomicU64,
    bytes: AtomicU64,
    oldest: AtomicU64,
    newest: AtomicU64,
}

/// The value of a [`Record`] that holds its message.
pub(crate) struct Found(Slice);

/// The message on the wire.
impl AsRef<[u8]> for Found {
    fn as_ref(&self) -> &[u8] {
        &self.0[Record::FLAGS..]
    }
}

impl From<Found> for Bytes {
    fn from(found: Found) -> Self {
        Self::copy_from_slice(found.as_ref())
    }
}

/// The engine failed, or what is there is not what was written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SegmentError {
    #[error("{0}")]
    Engine(#[from] fjall::Error),
    #[error("the journal is not as it was written")]
    Journal,
    #[error("the message at position {0} is not as it was written")]
    Damaged(u64),
}

impl SegmentError {
    /// What is the matter with a store that does not open: the disk, or what is on it.
    pub(crate) fn while_opening(self, path: &Path) -> OpenError {
        let path = path.to_owned();
        match self {
            Self::Engine(
                fjall::Error::Io(source) | fjall::Error::Storage(LsmError::Io(source)),
            ) if source.raw_os_error().is_some() => OpenError::Io { path, source },
            other => OpenError::Damaged {
                path,
                source: other.into(),
            },
        }
    }
}

impl Segment {
    /// What names the segment that begins after a position. Names sort as positions do.
    pub(crate) fn name(after: u64) -> String {
        format!("segment-{after:020}")
    }

    /// The position in a name.
    pub(crate) fn after(name: &str) -> Option<u64> {
        name.strip_prefix("segment-")?.parse().ok()
    }

    pub(crate) fn open(keyspace: Keyspace, after: u64) -> Result<Self, SegmentError> {
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

    /// The position after the newest message.
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

    /// When the oldest message was stored.
    pub(crate) fn oldest(&self) -> u64 {
        self.oldest.load(Ordering::Relaxed)
    }

    /// When the newest message was stored.
    pub(crate) fn newest(&self) -> u64 {
        self.newest.load(Ordering::Relaxed)
    }

    /// Everything that was written at once, in order.
    pub(crate) fn commits(
        &self,
    ) -> impl DoubleEndedIterator<Item = Result<Commit, SegmentError>> + use<> {
        let range = Commit::key(0)..=Commit::key(u64::MAX);
        self.keyspace.range(range).map(|entry| {
            let (key, value) = entry.into_inner()?;
            let at = position(&key).unwrap_or_default();
            Commit::read(&key, &value).ok_or(SegmentError::Damaged(at))
        })
    }

    /// Whether there is a message of these topics at a position, and whether its id is of the application.
    pub(crate) fn has_own_id(
        &self,
        position: u64,
        topics: &Topics,
    ) -> Result<Option<bool>, SegmentError> {
        for topic in topics.iter() {
            if let Some(value) = self.keyspace.get(message_key(topic, position))? {
                let record = Record::read(&value).ok_or(SegmentError::Damaged(position))?;
                return Ok(Some(record.has_own_id));
            }
        }
        Ok(None)
    }

    /// The oldest message of these topics after a position with an id of the application.
    pub(crate) fn own_position(
        &self,
        id: &EventId,
        after: u64,
        topics: &Topics,
    ) -> Result<Option<u64>, SegmentError> {
        for entry in self.keyspace.prefix(own_id_prefix(id)) {
            let position = position(&entry.key()?).ok_or(SegmentError::Damaged(0))?;
            if position > after && self.has_own_id(position, topics)?.is_some() {
                return Ok(Some(position));
            }
        }
        Ok(None)
    }

    /// The messages of a topic between two positions.
    pub(crate) fn messages_of(
        &self,
        topic: &str,
        after: u64,
        until: u64,
    ) -> impl Iterator<Item = Result<(Position, Found), SegmentError>> {
        let from = message_key(topic, after.saturating_add(1));
        let range = (after < until).then(|| self.keyspace.range(from..=message_key(topic, until)));
        range.into_iter().flatten().map(|entry| {
            let (key, value) = entry.into_inner()?;
            let at = position(&key).ok_or(SegmentError::Damaged(0))?;
            let damaged = || SegmentError::Damaged(at);
            let found = match Record::read(&value).ok_or_else(damaged)?.body {
                Body::Here(_) => value,
                Body::Under(topic) => {
                    let value = self.keyspace.get(message_key(topic, at))?;
                    let value = value.ok_or_else(damaged)?;
                    let record = Record::read(&value).ok_or_else(damaged)?;
                    if let Body::Under(_) = record.body {
                        return Err(damaged());
                    }
                    value
                }
            };
            Ok((Position(at), Found(found)))
        })
    }
}
