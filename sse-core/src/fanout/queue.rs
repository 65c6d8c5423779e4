//! `Queue`: the messages of one topic that at least one reader has not read.

use std::{collections::VecDeque, num::NonZeroU64};

use bytes::Bytes;

use super::{
    Read,
    bounds::{Bounds, Budget},
};
use crate::{
    join::join,
    replay::{Page, Position},
};

/// The most joined pieces that are kept to be shared: as much as a queue holds by default.
const PIECES: usize = 16;

/// The messages of one topic that at least one reader has not read.
///
/// Readers are not listed here. Each is counted at the oldest entry that it has not read, so
/// entries that everyone has read go at once and in constant time, and a queue is exactly as long
/// as its slowest reader is behind.
///
/// A reader's cursor is the number up to which it has read. A reader whose cursor is below `lost`
/// has overflowed. It is then counted nowhere, unless readers skip: then it is counted at the
/// oldest entry that is left.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// Readers that overflow skip the messages that they have lost.
    skips: bool,
    entries: VecDeque<Entry>,
    /// The number of the newest message, even if it has been read.
    newest: Option<NonZeroU64>,
    /// The number of the newest message that was dropped unread.
    lost: Option<NonZeroU64>,
    bytes: usize,
    /// The number of readers that have read everything.
    caught_up: usize,
    /// The joined pieces that were taken last, as long as a reader may be at their beginning.
    /// Readers at the same place share them.
    joined: VecDeque<Joined>,
}

/// A message in a queue. Numbers rise, with gaps where messages went only to other topics.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) number: NonZeroU64,
    pub(super) bytes: Bytes,
    /// The position of the history after this message.
    pub(super) position: Position,
    /// The number of readers that read this next.
    readers: usize,
}

impl AsRef<[u8]> for Entry {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[derive(Debug)]
struct Joined {
    first: NonZeroU64,
    last: NonZeroU64,
    bytes: Bytes,
}

/// The room that is left in a piece: up to [`Page::BYTES`], and always for one message.
#[derive(Debug, Default)]
struct Room {
    taken: usize,
}

impl Room {
    fn fits(&mut self, entry: &Entry) -> bool {
        let is_first = self.taken == 0;
        self.taken += entry.bytes.len();
        is_first || self.taken <= Page::BYTES
    }
}

/// A reader is behind the oldest message that is left.
#[derive(Debug)]
pub(super) struct Overflowed;

/// The place of a reader in a queue.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// The index of the next entry to read.
    index: usize,
    /// Messages were dropped before that entry which the reader has not read.
    has_skipped: bool,
}

impl Queue {
    pub(super) fn new(skips: bool) -> Self {
        Self {
            skips,
            ..Self::default()
        }
    }

    /// Returns the number of the oldest message, unless it is the newest as well.
    pub(super) fn oldest(&self) -> Option<NonZeroU64> {
        (self.entries.len() > 1).then(|| self.entries[0].number)
    }

    /// Adds a reader, which has read everything.
    pub(super) fn attach(&mut self) {
        self.caught_up += 1;
    }

    /// Removes a reader.
    pub(super) fn detach(&mut self, cursor: NonZeroU64, budget: &Budget) {
        if let Ok(place) = self.place_after(cursor) {
            *self.readers_at(place.index) -= 1;
            self.trim(budget);
        }
    }

    /// Appends a message, and drops the oldest ones that exceed the bounds.
    pub(super) fn push(
        &mut self,
        number: NonZeroU64,
        bytes: &Bytes,
        position: Position,
        bounds: &Bounds,
        budget: &Budget,
    ) {
        self.newest = Some(number);
        let readers = std::mem::take(&mut self.caught_up);
        if readers == 0 && self.entries.is_empty() {
            return;
        }
        self.entries.push_back(Entry {
            number,
            bytes: bytes.clone(),
            position,
            readers,
        });
        let size = bytes.len() + Bounds::MESSAGE_OVERHEAD;
        self.bytes += size;
        budget.take(size);
        while self.entries.len() > bounds.queue_messages.max(1)
            || (self.entries.len() > 1 && self.bytes > bounds.queue_bytes)
        {
            self.drop_oldest(budget);
        }
    }

    /// Takes the messages that follow a cursor, up to a number, in one piece. The reader moves on
    /// to the number that is returned.
    pub(super) fn take(
        &mut self,
        from: NonZeroU64,
        until: NonZeroU64,
        budget: &Budget,
    ) -> Option<(Read, NonZeroU64)> {
        let Ok(place) = self.place_after(from) else {
            return Some((Read::Overflow, from));
        };
        let start = place.index;
        let mut room = Room::default();
        let fits = |entry: &&Entry| entry.number <= until && room.fits(entry);
        let count = self.entries.range(start..).take_while(fits).count();
        if count == 0 {
            return None;
        }
        let end = start + count;
        let last = &self.entries[end - 1];
        let (position, number) = (last.position, last.number);
        let rest = self.entries.get(end);
        let is_cut = rest.is_some_and(|next| next.number <= until);
        let bytes = self.join(start, end, budget);
        *self.readers_at(start) -= 1;
        *self.readers_at(end) += 1;
        self.trim(budget);
        let to = if is_cut { number } else { until };
        let read = if place.has_skipped {
            Read::Skipped(bytes, position)
        } else {
            Read::Bytes(bytes, position)
        };
        Some((read, to))
    }

    /// Returns the messages that follow a cursor, up to a number.
    pub(super) fn pending(
        &self,
        from: NonZeroU64,
        until: NonZeroU64,
    ) -> Result<impl Iterator<Item = &Entry>, Overflowed> {
        let entries = self.entries.range(self.place_after(from)?.index..);
        Ok(entries.take_while(move |entry| entry.number <= until))
    }

    /// Returns `true` if a message was dropped that a reader at this number has not read.
    pub(super) fn has_lost_after(&self, from: NonZeroU64) -> bool {
        self.lost > Some(from)
    }

    /// Moves a reader on that has taken the [pending](Self::pending) messages. Returns `true` if it
    /// has overflowed meanwhile: then it has what it took, but messages that follow may have been
    /// dropped while it was counted nowhere.
    #[must_use]
    pub(super) fn advance(&mut self, from: NonZeroU64, to: NonZeroU64, budget: &Budget) -> bool {
        let before = self.place_after(from);
        if let Ok(place) = before {
            *self.readers_at(place.index) -= 1;
        }
        if let Ok(place) = self.place_after(to) {
            *self.readers_at(place.index) += 1;
        }
        self.trim(budget);
        before.is_err()
    }

    /// Drops the oldest message, which at least one reader has not read.
    pub(super) fn drop_oldest(&mut self, budget: &Budget) {
        if let Some(entry) = self.entries.front() {
            let readers = entry.readers;
            self.lost = Some(entry.number);
            self.pop(budget);
            if self.skips {
                *self.readers_at(0) += readers;
            }
        }
        self.trim(budget);
    }

    /// Forgets the joined pieces, which are kept only so that readers can share them.
    pub(super) fn forget_joined(&mut self, budget: &Budget) {
        for joined in self.joined.drain(..) {
            budget.give_back(joined.bytes.len());
        }
    }

    /// Returns the place of a reader that has read everything up to a number.
    fn place_after(&self, number: NonZeroU64) -> Result<Place, Overflowed> {
        let has_skipped = self.has_lost_after(number);
        if has_skipped && !self.skips {
            return Err(Overflowed);
        }
        let index = if has_skipped {
            0
        } else {
            self.index_after(number)
        };
        Ok(Place { index, has_skipped })
    }

    /// Returns the index of the first entry after a number.
    fn index_after(&self, number: NonZeroU64) -> usize {
        if Some(number) >= self.newest {
            return self.entries.len();
        }
        match self.entries.front() {
            Some(first) if first.number <= number => {
                self.entries.partition_point(|entry| entry.number <= number)
            }
            _ => 0,
        }
    }

    /// Returns the number of readers at an index.
    fn readers_at(&mut self, index: usize) -> &mut usize {
        match self.entries.get_mut(index) {
            Some(entry) => &mut entry.readers,
            None => &mut self.caught_up,
        }
    }

    fn join(&mut self, start: usize, end: usize, budget: &Budget) -> Bytes {
        let (first, last) = (self.entries[start].number, self.entries[end - 1].number);
        let is_same = |joined: &&Joined| (joined.first, joined.last) == (first, last);
        if let Some(joined) = self.joined.iter().find(is_same) {
            return joined.bytes.clone();
        }
        let bytes = join(self.entries.range(start..end).map(|entry| &entry.bytes));
        if start + 1 < end {
            if self.joined.len() == PIECES {
                self.forget_oldest_joined(budget);
            }
            budget.take(bytes.len());
            self.joined.push_back(Joined {
                first,
                last,
                bytes: bytes.clone(),
            });
        }
        bytes
    }

    fn forget_oldest_joined(&mut self, budget: &Budget) {
        if let Some(joined) = self.joined.pop_front() {
            budget.give_back(joined.bytes.len());
        }
    }

    /// Drops the entries that everyone has read.
    fn trim(&mut self, budget: &Budget) {
        while self.entries.front().is_some_and(|entry| entry.readers == 0) {
            self.pop(budget);
        }
        let front = self.entries.front().map(|entry| entry.number);
        while let Some(oldest) = self.joined.front()
            && front.is_none_or(|front| oldest.first < front)
        {
            self.forget_oldest_joined(budget);
        }
    }

    fn pop(&mut self, budget: &Budget) {
        if let Some(entry) = self.entries.pop_front() {
            let size = entry.bytes.len() + Bounds::MESSAGE_OVERHEAD;
            self.bytes -= size;
            budget.give_back(size);
        }
    }
}
