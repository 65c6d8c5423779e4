//! Wakers that are to be woken as soon as possible, but not all at once.

use std::{collections::VecDeque, task::Waker};

use slab::{IntoIter, Slab};

/// How many are woken before others get their turn: enough that fetching one from memory overlaps with
/// the next, few enough that what is woken is still in the processor's cache when it runs.
const SOME: usize = 512;

/// Crowds in the order in which they were called.
#[derive(Debug, Default)]
pub(super) struct Crowds {
    crowds: VecDeque<IntoIter<Waker>>,
    is_closed: bool,
}

impl Crowds {
    /// Adds a crowd, or gives it back if nobody is there any more to wake it.
    pub(super) fn push(&mut self, wakers: Slab<Waker>) -> Result<(), Slab<Waker>> {
        if self.is_closed {
            return Err(wakers);
        }
        self.crowds.push_back(wakers.into_iter());
        Ok(())
    }

    /// Moves the next few into an empty `some`, to be woken without the lock. It stays empty only if nobody is left.
    pub(super) fn take_some(&mut self, some: &mut Vec<Waker>) {
        while some.len() < SOME
            && let Some(crowd) = self.crowds.front_mut()
        {
            some.extend(crowd.take(SOME - some.len()).map(|(_, waker)| waker));
            if some.len() < SOME {
                self.crowds.pop_front();
            }
        }
    }

    /// The rest. From now on nothing is taken in.
    pub(super) fn close(&mut self) -> VecDeque<IntoIter<Waker>> {
        self.is_closed = true;
        std::mem::take(&mut self.crowds)
    }
}
