//! `Segments`: the parts of a history, where the next message goes, and what is dropped.

use std::{
    ops::RangeInclusive,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use fjall::{Database, KeyspaceCreateOptions};
use sse_core::{EventId, Topics, replay::Position};

use crate::{error::EngineError, segment::Segment};

/// The number of segments that a bound allows, because it is kept by dropping whole segments.
const PARTS: u64 = 8;

/// The bytes that a segment holds in memory until they are sorted and written to a file. With
/// 16 MiB a store of any size opens in a second.
const MEMTABLE_BYTES: u64 = 16 << 20;

/// The bytes of the newest messages that may be in no sorted file yet, more or less: where
/// something may be missing because the engine has taken damage of its journal for its end.
const UNSORTED_BYTES: u64 = 128 << 20;

/// The bounds of a history, and the clock by which it ages.
///
/// Age is the time that processes have seen pass while they had the store open: the time of day can
/// be wrong by years, so it would drop everything, or nothing ever again.
#[derive(Clone)]
pub(crate) struct Bounds {
    pub messages: u64,
    pub bytes: u64,
    pub age: Option<Duration>,
    /// Never runs backwards, and does not jump when somebody sets the time of day.
    pub clock: Arc<dyn Fn() -> Instant + Send + Sync>,
}

/// The segments of a store, of which there is at least one.
pub(crate) struct Segments {
    database: Database,
    bounds: Bounds,
    list: RwLock<List>,
    /// The moment at which the store was opened, and its time then.
    opened: Instant,
    time_then: u64,
    /// The position up to which nothing is shown, because something is missing.
    pub hidden: u64,
}

/// Oldest first; only the newest of them changes.
type List = Arc<[Arc<Segment>]>;

/// The segments at one moment.
pub(crate) struct Snapshot {
    segments: List,
    /// The position before the oldest message that is kept; expired messages are not.
    pub floor: Position,
    /// The position of the newest message.
    pub end: Position,
}

impl Bounds {
    fn is_expired(&self, segment: &Segment, now: u64) -> bool {
        let age = now.saturating_sub(segment.newest());
        let is_old = |most: Duration| age >= milliseconds(most);
        !segment.is_empty() && self.age.is_some_and(is_old)
    }

    /// Returns `true` if the newest segment has its part of what is allowed.
    fn is_complete(&self, newest: &Segment, now: u64) -> bool {
        let age = now.saturating_sub(newest.oldest());
        let is_old = |most: Duration| age >= milliseconds(most) / PARTS;
        !newest.is_empty()
            && (self.is_part(newest.messages(), newest.bytes()) || self.age.is_some_and(is_old))
    }

    /// Returns `true` if this much is a part of what is allowed.
    fn is_part(&self, messages: u64, bytes: u64) -> bool {
        messages >= self.messages / PARTS || bytes >= self.bytes / PARTS
    }

    /// Returns `true` if one more segment is allowed besides these.
    fn has_room(&self, segments: &[Arc<Segment>]) -> bool {
        let messages: u64 = segments.iter().map(|segment| segment.messages()).sum();
        let bytes: u64 = segments.iter().map(|segment| segment.bytes()).sum();
        let fits = |used: u64, most: u64| used <= most - most / PARTS;
        fits(messages, self.messages) && fits(bytes, self.bytes)
    }
}

impl Segments {
    /// Opens the segments of a store that has come to a time, at least.
    pub(crate) fn open(database: Database, bounds: Bounds, time: u64) -> Result<Self, EngineError> {
        let names = database.list_keyspace_names();
        let mut places: Vec<u64> = names
            .iter()
            .filter_map(|name| Segment::after(name))
            .collect();
        places.sort_unstable();
        if places.is_empty() {
            places.push(0);
        }
        let segments = places.into_iter().map(|after| create(&database, after));
        let mut segments = segments.collect::<Result<Vec<_>, _>>()?;
        // Begun after messages that are lost, and with nothing in it: the next message goes before
        // it.
        while let [.., before, newest] = &segments[..]
            && newest.is_empty()
            && newest.after > before.last()
        {
            database.delete_keyspace(newest.keyspace.clone())?;
            segments.pop();
        }
        // No message is younger than one that follows it.
        let newest = segments.iter().map(|segment| segment.newest()).max();
        Ok(Self {
            database,
            opened: (bounds.clock)(),
            time_then: time.max(newest.unwrap_or_default()),
            bounds,
            list: RwLock::new(segments.into()),
            hidden: 0,
        })
    }

    /// Returns the time of the store, which a message that is stored now has: the milliseconds for
    /// which it has been open in its life.
    pub(crate) fn now(&self) -> u64 {
        let since = (self.bounds.clock)().saturating_duration_since(self.opened);
        self.time_then.saturating_add(milliseconds(since))
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let segments = self.list();
        let now = self.now();
        let expired = segments
            .iter()
            .take_while(|segment| self.bounds.is_expired(segment, now));
        let last_expired = expired.last().map(|segment| segment.last());
        let dropped = last_expired.or_else(|| Some(segments.first()?.after));
        Snapshot {
            floor: Position(dropped.unwrap_or_default().max(self.hidden)),
            end: Position(segments.last().map_or(0, |newest| newest.last())),
            segments,
        }
    }

    /// Returns the segment to append to. Starts a new one if the newest is complete, and then drops
    /// the oldest segments that no longer fit the bounds.
    pub(crate) fn current(&self, now: u64) -> Result<Arc<Segment>, EngineError> {
        let segments = self.list();
        if let Some(newest) = segments.last()
            && !self.bounds.is_complete(newest, now)
        {
            return Ok(Arc::clone(newest));
        }
        let after = segments.last().map_or(0, |newest| newest.last());
        let newest = create(&self.database, after)?;
        let mut kept = segments.to_vec();
        while let Some(oldest) = kept.first()
            && (self.bounds.is_expired(oldest, now) || !self.bounds.has_room(&kept))
        {
            // Its files go with the last reader. A segment that cannot be dropped now is dropped
            // next time, and the oldest first, so that nothing is missing in between.
            let dropped = self.database.delete_keyspace(oldest.keyspace.clone());
            if dropped.is_err() {
                break;
            }
            kept.remove(0);
        }
        kept.push(Arc::clone(&newest));
        *self.list.write().unwrap_or_else(PoisonError::into_inner) = kept.into();
        Ok(newest)
    }

    /// Returns `true` if a segment with this much is to take no more.
    pub(crate) fn is_part(&self, messages: u64, bytes: u64) -> bool {
        self.bounds.is_part(messages, bytes)
    }

    /// Finds the newest messages after the floor that are missing between others.
    ///
    /// The engine checks what it reads, but takes some damage of its journal for the end of it.
    /// Only messages that were not sorted yet can be missing because of that.
    pub(crate) fn missing(&self, floor: u64) -> Result<Option<RangeInclusive<u64>>, EngineError> {
        let segments = self.list();
        // Whole segments are missing if the engine has lost the list of their files.
        for pair in segments.windows(2).rev() {
            let last = pair[0].last().max(floor);
            if last < pair[1].after {
                return Ok(Some(last + 1..=pair[1].after));
            }
        }
        let mut looked_at = 0;
        let mut next = segments.last().map_or(1, |newest| newest.last() + 1);
        let between = |last: u64, next: u64| {
            let missing = last.max(floor) + 1..=next - 1;
            (!missing.is_empty()).then_some(missing)
        };
        for segment in segments.iter().rev() {
            let mut bytes = segment.bytes();
            for commit in segment.commits().rev() {
                let commit = commit?;
                if let Some(missing) = between(commit.last, next) {
                    return Ok(Some(missing));
                }
                next = commit.first;
                looked_at += bytes.saturating_sub(commit.bytes);
                bytes = commit.bytes;
                if looked_at > UNSORTED_BYTES || next <= floor {
                    return Ok(None);
                }
            }
            if let Some(missing) = between(segment.after, next) {
                return Ok(Some(missing));
            }
            looked_at += bytes;
        }
        Ok(None)
    }

    fn list(&self) -> List {
        let list = self.list.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&list)
    }
}

impl Snapshot {
    /// Returns the segments that reach beyond a position.
    pub(crate) fn after(&self, position: Position) -> impl Iterator<Item = &Segment> {
        let segments = self.segments.iter().map(AsRef::as_ref);
        segments.filter(move |segment: &&Segment| segment.last() > position.0)
    }

    /// Returns `true` if there is a message of these topics at a position, with an id that the
    /// store gave it.
    pub(crate) fn has_generated_id(
        &self,
        position: Position,
        topics: &Topics,
    ) -> Result<bool, EngineError> {
        let segments = &self.segments;
        let segment = segments.iter().rfind(|segment| segment.after < position.0);
        let has_explicit_id = match segment {
            Some(segment) => segment.has_explicit_id(position.0, topics)?,
            None => None,
        };
        Ok(has_explicit_id == Some(false))
    }

    /// Finds the oldest message of these topics with this explicit id.
    pub(crate) fn explicit_position(
        &self,
        id: &EventId,
        topics: &Topics,
    ) -> Result<Option<Position>, EngineError> {
        for segment in self.after(self.floor) {
            let found = segment.explicit_position(id, self.floor, topics)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }
}

/// Opens the segment that begins after a position, or makes it.
fn create(database: &Database, after: u64) -> Result<Arc<Segment>, EngineError> {
    let options = || KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE_BYTES);
    let keyspace = database.keyspace(&Segment::name(after), options)?;
    Segment::open(keyspace, after).map(Arc::new)
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
