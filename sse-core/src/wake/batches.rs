//! `Batches`: wakers that are to be woken soon, but not all at once.

use std::{collections::VecDeque, task::Waker};

use slab::{IntoIter, Slab};

/// The wakers of a batch: enough that fetching one from memory overlaps with the next, and few
/// enough that a woken task is still in the processor's cache when it runs.
const BATCH: usize = 512;

/// Groups of wakers in the order in which they came, taken in batches.
#[derive(Debug, Default)]
pub(super) struct Batches {
    groups: VecDeque<IntoIter<Waker>>,
    is_closed: bool,
}

impl Batches {
    /// Adds a group. Once closed, gives it back.
    pub(super) fn push(&mut self, wakers: Slab<Waker>) -> Result<(), Slab<Waker>> {
        if self.is_closed {
            return Err(wakers);
        }
        self.groups.push_back(wakers.into_iter());
        Ok(())
    }

    /// Moves the next wakers into an empty `batch`, to be woken without the lock. It stays empty
    /// only if none are left.
    pub(super) fn next_batch(&mut self, batch: &mut Vec<Waker>) {
        while batch.len() < BATCH
            && let Some(wakers) = self.groups.front_mut()
        {
            batch.extend(wakers.take(BATCH - batch.len()).map(|(_, waker)| waker));
            if batch.len() < BATCH {
                self.groups.pop_front();
            }
        }
    }

    /// Takes the rest, and nothing more in.
    pub(super) fn close(&mut self) -> VecDeque<IntoIter<Waker>> {
        self.is_closed = true;
        std::mem::take(&mut self.groups)
    }
}
