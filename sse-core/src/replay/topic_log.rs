//! `TopicLog`: the messages of one topic in memory.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Arc, Weak},
    time::Instant,
};

use bytes::Bytes;

use super::Position;
use crate::{topics::Topics, wire::EventId};

/// The memory of the counts in an [`Arc`].
const ARC: usize = 2 * size_of::<usize>();

/// A message in memory, shared by the logs of its topics.
pub(super) struct Entry {
    pub(super) position: Position,
    pub(super) explicit_id: Option<EventId>,
    pub(super) topics: Topics,
    pub(super) bytes: Bytes,
    pub(super) stored: Instant,
    /// The memory that it takes, about, so that many small messages are bounded as well as few
    /// large ones. Counted in full for each of its topics, and once over all topics. The names of
    /// the topics are not part of it: their logs count them.
    pub(super) size: usize,
}

impl Entry {
    pub(super) fn new(
        position: Position,
        explicit_id: Option<EventId>,
        topics: Topics,
        bytes: Bytes,
        stored: Instant,
    ) -> Self {
        let own = ARC + size_of::<Self>() + size_of::<Weak<Self>>();
        let place = size_of::<Arc<str>>() + size_of::<Arc<Self>>();
        let (id, index) = match &explicit_id {
            Some(id) => (
                ARC + id.as_str().len(),
                2 * size_of::<(EventId, Position)>(),
            ),
            None => (0, 0),
        };
        Self {
            size: own + topics.len() * (place + index) + id + bytes.len(),
            position,
            explicit_id,
            topics,
            bytes,
            stored,
        }
    }
}

impl AsRef<[u8]> for Entry {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// The bytes on the wire, shared.
impl From<&Entry> for Bytes {
    fn from(entry: &Entry) -> Self {
        entry.bytes.clone()
    }
}

/// The origin of a message's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The application gave it.
    Explicit,
    /// The log gave it.
    Generated,
}

impl Origin {
    fn of(explicit_id: Option<&EventId>) -> Self {
        explicit_id.map_or(Self::Generated, |_| Self::Explicit)
    }
}

/// The messages of one topic, oldest first.
pub(super) struct TopicLog {
    kept: VecDeque<Arc<Entry>>,
    bytes: usize,
    /// The explicit ids of the kept messages. Several messages may have the same id.
    explicit_ids: BTreeSet<(EventId, Position)>,
    /// The newest message that was dropped. It is no longer replayed, but a client that has it has
    /// missed nothing.
    dropped: Option<Dropped>,
    /// The part of this topic from before it was remembered.
    unknown: Missing,
    /// The memory that the log takes besides its messages, about.
    overhead: usize,
}

struct Dropped {
    missing: Missing,
    explicit_id: Option<EventId>,
}

/// The part of a topic that is no longer there.
#[derive(Clone, Copy)]
pub(super) struct Missing {
    /// The position up to which messages may be missing.
    pub(super) until: Position,
    /// The moment at which the last of them was dropped: see [`Cursor::lost`](super::Cursor::lost).
    pub(super) at: Position,
}

impl TopicLog {
    /// The memory of a log without messages and without its name. Tables and trees have up to
    /// twice the room that they need.
    const BYTES: usize =
        2 * (size_of::<(Arc<str>, Self)>() + size_of::<(Position, Arc<str>)>()) + ARC;

    pub(super) fn new(name: &str, unknown: Missing) -> Self {
        Self {
            kept: VecDeque::new(),
            bytes: 0,
            explicit_ids: BTreeSet::new(),
            dropped: None,
            unknown,
            overhead: Self::BYTES + name.len(),
        }
    }

    pub(super) fn push(&mut self, entry: &Arc<Entry>) {
        self.bytes += entry.size;
        if let Some(id) = &entry.explicit_id {
            self.explicit_ids.insert((id.clone(), entry.position));
        }
        self.kept.push_back(Arc::clone(entry));
    }

    /// Drops the oldest message, at a moment.
    pub(super) fn drop_oldest(&mut self, at: Position) -> Option<Arc<Entry>> {
        let oldest = self.kept.pop_front()?;
        self.bytes -= oldest.size;
        if let Some(id) = &oldest.explicit_id {
            self.explicit_ids.remove(&(id.clone(), oldest.position));
        }
        self.dropped = Some(Dropped {
            missing: Missing {
                until: oldest.position,
                at,
            },
            explicit_id: oldest.explicit_id.clone(),
        });
        if self.kept.is_empty() {
            self.kept.shrink_to_fit();
        }
        Some(oldest)
    }

    pub(super) fn len(&self) -> usize {
        self.kept.len()
    }

    /// Returns the memory that the messages take, about.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns the memory that the log takes besides its messages, about: for its name, its place
    /// in tables, and what it knows of the newest dropped message.
    pub(super) fn overhead(&self) -> usize {
        let dropped = self.dropped.as_ref();
        let id = dropped.and_then(|dropped| dropped.explicit_id.as_ref());
        self.overhead + id.map_or(0, |id| ARC + id.as_str().len())
    }

    /// Returns the number of kept messages with an explicit id.
    pub(super) fn explicit_ids(&self) -> usize {
        self.explicit_ids.len()
    }

    pub(super) fn missing(&self) -> Missing {
        let dropped = self.dropped.as_ref();
        dropped.map_or(self.unknown, |dropped| dropped.missing)
    }

    /// Returns the origin of the id of the message at a position, which is kept or was dropped
    /// last.
    pub(super) fn origin(&self, position: Position) -> Option<Origin> {
        if let Some(dropped) = &self.dropped
            && dropped.missing.until == position
        {
            return Some(Origin::of(dropped.explicit_id.as_ref()));
        }
        let found = self
            .kept
            .binary_search_by_key(&position, |entry| entry.position);
        let entry = &self.kept[found.ok()?];
        Some(Origin::of(entry.explicit_id.as_ref()))
    }

    /// Returns the position of the oldest message with this explicit id among those that are kept
    /// and the one dropped last.
    pub(super) fn oldest_with(&self, id: &EventId) -> Option<Position> {
        if let Some(dropped) = &self.dropped
            && dropped.explicit_id.as_ref() == Some(id)
        {
            return Some(dropped.missing.until);
        }
        let same = (id.clone(), Position(0))..=(id.clone(), Position(u64::MAX));
        let (_, position) = self.explicit_ids.range(same).next()?;
        Some(*position)
    }

    /// Returns the messages between two positions.
    pub(super) fn between(
        &self,
        after: Position,
        until: Position,
    ) -> impl Iterator<Item = (Position, &Entry)> {
        let first = self.kept.partition_point(|entry| entry.position <= after);
        self.kept
            .range(first..)
            .map(|entry| (entry.position, entry.as_ref()))
            .take_while(move |(position, _)| *position <= until)
    }
}
