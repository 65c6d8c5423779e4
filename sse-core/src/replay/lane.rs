//! What a log in memory keeps of one topic.

use std::{collections::VecDeque, sync::Arc, time::Instant};

use bytes::Bytes;

use crate::{topics::Topics, wire::EventId};

/// A message in the log.
pub(super) struct Entry {
    pub(super) position: u64,
    /// Its id, if the application gave it one.
    pub(super) own_id: Option<EventId>,
    pub(super) topics: Topics,
    pub(super) bytes: Bytes,
    pub(super) stored: Instant,
    /// What it takes in memory, about, so that many small messages are bounded as well as few large ones. Counted
    /// once: each of its topics asks for it.
    pub(super) size: usize,
}

impl Entry {
    pub(super) fn new(
        position: u64,
        own_id: Option<EventId>,
        topics: Topics,
        bytes: Bytes,
        stored: Instant,
    ) -> Self {
        let names: usize = topics.iter().map(str::len).sum();
        let places = (1 + topics.len()) * size_of::<Arc<Self>>();
        let id_size = own_id.as_ref().map_or(0, |id| id.as_str().len());
        Self {
            size: size_of::<Self>() + names + places + id_size + bytes.len(),
            position,
            own_id,
            topics,
            bytes,
            stored,
        }
    }
}

/// Whose id a message has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Application,
    Given,
}

impl Origin {
    fn of(own_id: Option<&EventId>) -> Self {
        own_id.map_or(Self::Given, |_| Self::Application)
    }
}

/// The messages of one topic, oldest first, shared with those of the other topics they have.
pub(super) struct Lane {
    kept: VecDeque<Arc<Entry>>,
    bytes: usize,
    /// The newest of this topic that was dropped. It is no longer replayed, but who has it has missed nothing.
    dropped: Option<Dropped>,
    /// The part of this topic from before it was remembered.
    unknown: Missing,
}

struct Dropped {
    missing: Missing,
    own_id: Option<EventId>,
}

/// The part of a topic that is not there any more.
#[derive(Clone, Copy)]
pub(super) struct Missing {
    /// Messages up to here may be missing.
    pub(super) until: u64,
    /// The moment at which the last of them was dropped: see [`Cursor::lost`](super::Cursor::lost).
    pub(super) at: u64,
}

impl Lane {
    pub(super) fn new(unknown: Missing) -> Self {
        Self {
            kept: VecDeque::new(),
            bytes: 0,
            dropped: None,
            unknown,
        }
    }

    pub(super) fn push(&mut self, entry: &Arc<Entry>) {
        self.bytes += entry.size;
        self.kept.push_back(Arc::clone(entry));
    }

    /// Drops the oldest, at a moment.
    pub(super) fn drop_oldest(&mut self, at: u64) -> Option<Arc<Entry>> {
        let oldest = self.kept.pop_front()?;
        self.bytes -= oldest.size;
        self.dropped = Some(Dropped {
            missing: Missing {
                until: oldest.position,
                at,
            },
            own_id: oldest.own_id.clone(),
        });
        if self.kept.is_empty() {
            self.kept.shrink_to_fit();
        }
        Some(oldest)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.kept.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn missing(&self) -> Missing {
        let dropped = self.dropped.as_ref();
        dropped.map_or(self.unknown, |dropped| dropped.missing)
    }

    /// Whose id the message of this topic at a position has; kept, or dropped last.
    pub(super) fn origin(&self, position: u64) -> Option<Origin> {
        if let Some(dropped) = &self.dropped
            && dropped.missing.until == position
        {
            return Some(Origin::of(dropped.own_id.as_ref()));
        }
        let found = self
            .kept
            .binary_search_by_key(&position, |entry| entry.position);
        let entry = &self.kept[found.ok()?];
        Some(Origin::of(entry.own_id.as_ref()))
    }

    /// The position of the newest dropped, if it had this id from the application.
    pub(super) fn dropped_with(&self, id: &EventId) -> Option<u64> {
        let dropped = self.dropped.as_ref()?;
        (dropped.own_id.as_ref() == Some(id)).then_some(dropped.missing.until)
    }

    /// What is kept between two positions.
    pub(super) fn between(&self, after: u64, until: u64) -> impl Iterator<Item = &Entry> {
        let first = self.kept.partition_point(|entry| entry.position <= after);
        self.kept
            .range(first..)
            .map(AsRef::as_ref)
            .take_while(move |entry| entry.position <= until)
    }
}
