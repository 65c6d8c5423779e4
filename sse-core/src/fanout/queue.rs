//! The messages of one topic that at least one reader has not read.

use std::collections::VecDeque;

use bytes::Bytes;

use super::{
    Read,
    bounds::{Bounds, Budget},
};
use crate::{replay::Position, wire::join};

/// A reader takes at most this much at once, or one message, so that a body chunk has a reasonable size.
pub(super) const CHUNK_BYTES: usize = 256 << 10;

/// The messages of one topic that at least one reader has not read.
///
/// Readers are not listed here. Each is counted at the oldest entry that it has not read, so what everyone has read
/// goes at once and in constant time, and a queue is exactly as long as its slowest reader is behind.
///
/// A reader's cursor is the number up to which it has read. One whose cursor is below `lost` has overflowed
/// and is counted nowhere.
#[derive(Debug, Default)]
pub(super) struct Queue {
    entries: VecDeque<Entry>,
    /// The number of the newest message, also when it has been read.
    newest: u64,
    /// The number of the newest message that was dropped unread.
    lost: u64,
    bytes: usize,
    /// How many readers have read everything.
    caught_up: usize,
    /// The piece given out last: readers at the same place share it.
    joined: Option<Joined>,
}

/// A message in a queue. Numbers rise, with gaps where messages went to other topics only.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) number: u64,
    pub(super) bytes: Bytes,
    /// The end of the history when this was published.
    pub(super) position: Position,
    /// How many readers have this as the next to read.
    readers: usize,
}

#[derive(Debug)]
struct Joined {
    first: u64,
    last: u64,
    bytes: Bytes,
}

/// A reader is behind what is still here.
#[derive(Debug)]
pub(super) struct Overflowed;

impl Queue {
    /// The number of the oldest message that is not the newest.
    pub(super) fn oldest(&self) -> Option<u64> {
        (self.entries.len() > 1).then(|| self.entries[0].number)
    }

    /// A reader that has read everything comes in.
    pub(super) fn enter(&mut self) {
        self.caught_up += 1;
    }

    /// A reader goes.
    pub(super) fn leave(&mut self, cursor: u64, budget: &Budget) {
        if cursor >= self.lost {
            let place = self.index_after(cursor);
            *self.readers_at(place) -= 1;
            self.trim(budget);
        }
    }

    pub(super) fn push(
        &mut self,
        number: u64,
        bytes: &Bytes,
        position: Position,
        bounds: &Bounds,
        budget: &Budget,
    ) {
        self.newest = number;
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

    /// Takes what follows a cursor, up to a number, in one piece. The reader moves on.
    pub(super) fn take(&mut self, cursor: &mut u64, until: u64, budget: &Budget) -> Option<Read> {
        let Ok(pending) = self.pending(*cursor, until) else {
            return Some(Read::Overflow);
        };
        let count = pending.count();
        if count == 0 {
            return None;
        }
        let start = self.index_after(*cursor);
        let end = start + count;
        let (last, position) = (self.entries[end - 1].number, self.entries[end - 1].position);
        let is_cut = self
            .entries
            .get(end)
            .is_some_and(|next| next.number <= until);
        let bytes = self.join(start, end, budget);
        *self.readers_at(start) -= 1;
        *self.readers_at(end) += 1;
        self.trim(budget);
        *cursor = if is_cut { last } else { until };
        Some(Read::Bytes(bytes, position))
    }

    /// What follows a cursor, up to a number and a size.
    pub(super) fn pending(
        &self,
        cursor: u64,
        until: u64,
    ) -> Result<impl Iterator<Item = &Entry>, Overflowed> {
        if cursor < self.lost {
            return Err(Overflowed);
        }
        let mut size = 0;
        let start = self.index_after(cursor);
        Ok(self.entries.range(start..).take_while(move |entry| {
            size += entry.bytes.len();
            entry.number <= until && (size <= CHUNK_BYTES || size == entry.bytes.len())
        }))
    }

    /// A reader that has taken what was pending by itself moves on. Returns whether it has overflowed meanwhile: it has
    /// what it took, but of what follows something may have gone with nobody counted for it.
    #[must_use]
    pub(super) fn advance(&mut self, from: u64, to: u64, budget: &Budget) -> bool {
        let has_overflowed = from < self.lost;
        if !has_overflowed {
            let place = self.index_after(from);
            *self.readers_at(place) -= 1;
        }
        if to >= self.lost {
            let place = self.index_after(to);
            *self.readers_at(place) += 1;
        }
        self.trim(budget);
        has_overflowed
    }

    /// Drops the oldest message, which somebody has not read.
    pub(super) fn drop_oldest(&mut self, budget: &Budget) {
        if let Some(entry) = self.entries.front() {
            self.lost = entry.number;
        }
        self.pop(budget);
        self.trim(budget);
    }

    /// Forgets the piece that is kept only so that readers can share it.
    pub(super) fn forget_joined(&mut self, budget: &Budget) {
        if let Some(joined) = self.joined.take() {
            budget.give_back(joined.bytes.len());
        }
    }

    /// The index of the first entry after a number.
    fn index_after(&self, number: u64) -> usize {
        if number >= self.newest {
            return self.entries.len();
        }
        match self.entries.front() {
            Some(first) if first.number <= number => {
                self.entries.partition_point(|entry| entry.number <= number)
            }
            _ => 0,
        }
    }

    /// How many readers are at an index.
    fn readers_at(&mut self, index: usize) -> &mut usize {
        match self.entries.get_mut(index) {
            Some(entry) => &mut entry.readers,
            None => &mut self.caught_up,
        }
    }

    fn join(&mut self, start: usize, end: usize, budget: &Budget) -> Bytes {
        let (first, last) = (self.entries[start].number, self.entries[end - 1].number);
        if let Some(joined) = &self.joined
            && (joined.first, joined.last) == (first, last)
        {
            return joined.bytes.clone();
        }
        let bytes = join(self.entries.range(start..end).map(|entry| &entry.bytes));
        if start + 1 < end {
            self.forget_joined(budget);
            budget.take(bytes.len());
            self.joined = Some(Joined {
                first,
                last,
                bytes: bytes.clone(),
            });
        }
        bytes
    }

    /// Drops what everyone has read.
    fn trim(&mut self, budget: &Budget) {
        while self.entries.front().is_some_and(|entry| entry.readers == 0) {
            self.pop(budget);
        }
        if self.entries.is_empty() {
            self.forget_joined(budget);
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
