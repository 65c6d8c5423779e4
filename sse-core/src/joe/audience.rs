//! The subscribers of one set of topics and the queue they share.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use slab::Slab;

use super::Shared;
use crate::{replay::Position, wire::join};

/// A reader takes at most this much at once, or one message, so that a body chunk has a reasonable size.
const CHUNK_BYTES: usize = 256 << 10;

/// The subscribers of one set of topics.
#[derive(Default)]
pub(super) struct Audience {
    queue: Mutex<Queue>,
}

/// A subscriber's place in the queue. To be given back with `leave`.
pub(super) struct Cursor {
    /// The number of the next message it reads.
    next: u64,
    waker: Option<Registration>,
}

/// Where a cursor's waker is; void once the wakers of its round have been woken.
struct Registration {
    round: u64,
    key: usize,
}

/// What a cursor gets from a queue.
pub(super) enum Read {
    /// Everything pending, and the position in the history after it.
    Bytes(Bytes, Position),
    /// Messages were dropped before the cursor had read them.
    Overflow,
    /// There will be no more.
    Closed,
}

/// The messages that at least one reader has not read.
#[derive(Default)]
struct Queue {
    entries: VecDeque<Entry>,
    /// The number of the next message; that of the oldest entry is `next - entries.len()`.
    next: u64,
    bytes: usize,
    /// How many cursors have read everything.
    caught_up: usize,
    closed: bool,
    wakers: Slab<Waker>,
    round: u64,
    /// The piece given out last: readers that are at the same place share it.
    joined: Option<Joined>,
}

struct Entry {
    bytes: Bytes,
    /// The end of the history when this was published.
    position: Position,
    /// How many cursors have this as the next to read. The oldest entry goes when nobody has.
    readers: usize,
}

struct Joined {
    from: u64,
    to: u64,
    bytes: Bytes,
}

/// Bytes in all queues together.
pub(super) struct Budget {
    most: usize,
    used: AtomicUsize,
}

impl Audience {
    /// Appends a message for everyone and moves the wakers of those who wait into `wakers`.
    pub(super) fn append(
        &self,
        bytes: &Bytes,
        end: Position,
        shared: &Shared,
        wakers: &mut Vec<Waker>,
    ) {
        let mut queue = self.queue();
        queue.push(bytes, end, shared);
        queue.take_wakers(wakers);
    }

    pub(super) fn close(&self, wakers: &mut Vec<Waker>) {
        let mut queue = self.queue();
        queue.closed = true;
        queue.take_wakers(wakers);
    }

    /// A cursor that reads what is published from now on.
    pub(super) fn join(&self) -> Cursor {
        let mut queue = self.queue();
        queue.caught_up += 1;
        Cursor {
            next: queue.next,
            waker: None,
        }
    }

    /// Everything pending for a cursor in one piece, or its waker is kept.
    pub(super) fn poll_read(
        &self,
        cursor: &mut Cursor,
        shared: &Shared,
        cx: &mut Context<'_>,
    ) -> Poll<Read> {
        let mut queue = self.queue();
        if cursor.next < queue.first() {
            return Poll::Ready(Read::Overflow);
        }
        if cursor.next < queue.next {
            return Poll::Ready(queue.take(cursor, shared));
        }
        if queue.closed {
            return Poll::Ready(Read::Closed);
        }
        let replaced = queue.keep_waker(cursor, cx.waker());
        drop(queue);
        // Without the lock: a waker may be the last to hold a task, and the task another cursor.
        drop(replaced);
        Poll::Pending
    }

    /// Gives a cursor back.
    pub(super) fn leave(&self, cursor: &Cursor, shared: &Shared) {
        let mut queue = self.queue();
        let waker = queue.take_waker(cursor);
        queue.forget_reader(cursor.next);
        queue.trim(shared);
        drop(queue);
        drop(waker);
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Nothing under the lock panics; no user code runs there but the cloning of a waker.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    /// The number of the oldest entry.
    fn first(&self) -> u64 {
        self.next - self.entries.len() as u64
    }

    fn entry(&mut self, number: u64) -> Option<&mut Entry> {
        let index = number.checked_sub(self.first())?;
        self.entries.get_mut(usize::try_from(index).ok()?)
    }

    fn push(&mut self, bytes: &Bytes, position: Position, shared: &Shared) {
        self.next += 1;
        let readers = std::mem::take(&mut self.caught_up);
        self.entries.push_back(Entry {
            bytes: bytes.clone(),
            position,
            readers,
        });
        self.bytes += bytes.len();
        shared.budget.take(bytes.len());
        self.trim(shared);
        let config = &shared.config;
        while self.entries.len() > config.queue_messages
            || (self.entries.len() > 1
                && (self.bytes > config.queue_bytes || shared.budget.is_exceeded()))
        {
            self.drop_oldest(shared);
            self.trim(shared);
        }
    }

    fn take(&mut self, cursor: &mut Cursor, shared: &Shared) -> Read {
        let from = cursor.next;
        let start = usize::try_from(from - self.first()).unwrap_or(usize::MAX);
        let mut size = 0;
        let taken = self.entries.iter().skip(start).take_while(|entry| {
            size += entry.bytes.len();
            size <= CHUNK_BYTES || size == entry.bytes.len()
        });
        let to = from + taken.count() as u64;
        let bytes = self.join(from, to, start);
        let position = self
            .entry(to - 1)
            .map_or(Position::default(), |entry| entry.position);

        self.forget_reader(from);
        self.add_reader(to);
        self.trim(shared);
        cursor.next = to;
        Read::Bytes(bytes, position)
    }

    fn join(&mut self, from: u64, to: u64, start: usize) -> Bytes {
        if let Some(joined) = &self.joined
            && (joined.from, joined.to) == (from, to)
        {
            return joined.bytes.clone();
        }
        let count = usize::try_from(to - from).unwrap_or(usize::MAX);
        let bytes = join(
            self.entries
                .iter()
                .skip(start)
                .take(count)
                .map(|entry| &entry.bytes),
        );
        if count > 1 {
            self.joined = Some(Joined {
                from,
                to,
                bytes: bytes.clone(),
            });
        }
        bytes
    }

    fn add_reader(&mut self, number: u64) {
        match self.entry(number) {
            Some(entry) => entry.readers += 1,
            None => self.caught_up += 1,
        }
    }

    /// A cursor leaves its place; one that has overflowed has none.
    fn forget_reader(&mut self, number: u64) {
        if number == self.next {
            self.caught_up -= 1;
        } else if let Some(entry) = self.entry(number) {
            entry.readers -= 1;
        }
    }

    /// Drops what everyone has read.
    fn trim(&mut self, shared: &Shared) {
        while self.entries.front().is_some_and(|entry| entry.readers == 0) {
            self.drop_oldest(shared);
        }
        if self.entries.is_empty() {
            self.joined = None;
        }
    }

    fn drop_oldest(&mut self, shared: &Shared) {
        if let Some(entry) = self.entries.pop_front() {
            self.bytes -= entry.bytes.len();
            shared.budget.give_back(entry.bytes.len());
        }
    }

    fn take_wakers(&mut self, wakers: &mut Vec<Waker>) {
        self.round += 1;
        wakers.extend(
            std::mem::take(&mut self.wakers)
                .into_iter()
                .map(|(_, waker)| waker),
        );
    }

    /// Returns the waker that the cursor had before.
    fn keep_waker(&mut self, cursor: &mut Cursor, waker: &Waker) -> Option<Waker> {
        if let Some(Registration { round, key }) = cursor.waker
            && round == self.round
        {
            let kept = &mut self.wakers[key];
            return (!kept.will_wake(waker)).then(|| std::mem::replace(kept, waker.clone()));
        }
        let key = self.wakers.insert(waker.clone());
        cursor.waker = Some(Registration {
            round: self.round,
            key,
        });
        None
    }

    fn take_waker(&mut self, cursor: &Cursor) -> Option<Waker> {
        let registration = cursor
            .waker
            .as_ref()
            .filter(|waker| waker.round == self.round)?;
        self.wakers.try_remove(registration.key)
    }
}

impl Budget {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            used: AtomicUsize::new(0),
        }
    }

    pub(super) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    fn take(&self, bytes: usize) {
        self.used.fetch_add(bytes, Ordering::Relaxed);
    }

    fn give_back(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }

    fn is_exceeded(&self) -> bool {
        self.used() > self.most
    }
}
