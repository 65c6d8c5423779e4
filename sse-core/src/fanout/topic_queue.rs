//! `TopicQueue`: the queue of one topic, and the tasks that wait for it.

use std::{num::NonZeroU64, sync::Arc, task::Waker};

use bytes::Bytes;

use super::{
    bounds::{Bounds, Budget},
    queue::Queue,
    wakers::{WakerKey, Wakers, Wakeups},
};
use crate::{
    replay::Position,
    sync::{AtomicU64, Mutex, MutexGuard, Ordering, lock},
    wake::WakeTask,
};

/// The queue of one topic, with the wakers of the listeners that have read it all.
#[derive(Debug)]
pub(super) struct TopicQueue {
    /// The number of the newest message, which shows without the lock that there is nothing to
    /// take.
    newest: AtomicU64,
    /// The number of times that all wakers were taken, plus 1. It shows without the lock that a
    /// registration still holds.
    generation: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) queue: Queue,
    wakers: Wakers,
}

/// The place of a listener's waker. It is void once the wakers of its generation have been taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Registration {
    generation: NonZeroU64,
    key: WakerKey,
}

/// A topic queue whose lock is held, to publish.
pub(super) struct TopicGuard<'a> {
    queue: &'a TopicQueue,
    state: MutexGuard<'a, State>,
}

impl TopicQueue {
    /// Creates an empty queue, whose readers skip messages that they have lost, or do not.
    pub(super) fn new(skips: bool) -> Self {
        Self {
            newest: AtomicU64::new(0),
            generation: AtomicU64::new(1),
            state: Mutex::new(State {
                queue: Queue::new(skips),
                wakers: Wakers::default(),
            }),
        }
    }

    /// Returns `true` if there may be a message after this number. `false` is certain up to the
    /// number of the newest message of all topics, if that was read before.
    pub(super) fn may_have_after(&self, number: NonZeroU64) -> bool {
        self.newest.load(Ordering::Acquire) > number.get()
    }

    /// Locks the queue to publish.
    pub(super) fn lock(&self) -> TopicGuard<'_> {
        TopicGuard {
            queue: self,
            state: self.state(),
        }
    }

    /// Locks the queue to read.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Returns `true` if a waker registered there will be woken by the next message, or is being
    /// woken now.
    pub(super) fn holds(&self, registration: Registration) -> bool {
        registration.generation.get() == self.generation.load(Ordering::Acquire)
    }

    /// Keeps a waker until the next message, unless it is kept already.
    pub(super) fn register(
        &self,
        state: &mut State,
        registration: &mut Option<Registration>,
        waker: &Waker,
        wake_task: Option<&Arc<WakeTask>>,
    ) {
        if registration.is_none_or(|registration| !self.holds(registration)) {
            let generation = NonZeroU64::new(self.generation.load(Ordering::Relaxed));
            *registration = generation.map(|generation| Registration {
                generation,
                key: state.wakers.add(waker, wake_task),
            });
        }
    }

    /// Removes a waker, if it is still there. The caller drops it without a lock.
    pub(super) fn unregister(&self, registration: Registration) -> Option<Waker> {
        let mut state = self.state();
        if self.holds(registration) {
            state.wakers.remove(registration.key)
        } else {
            None
        }
    }
}

impl TopicGuard<'_> {
    /// Appends a message.
    pub(super) fn push(
        &mut self,
        number: NonZeroU64,
        bytes: &Bytes,
        position: Position,
        bounds: &Bounds,
        budget: &Budget,
    ) {
        self.state
            .queue
            .push(number, bytes, position, bounds, budget);
        self.queue.newest.store(number.get(), Ordering::Release);
    }

    /// Takes the wakers of all listeners that wait, which ends a generation.
    pub(super) fn take_wakers(&mut self, wakeups: &mut Wakeups) {
        self.state.wakers.take_all(wakeups);
        let generation = self.queue.generation.load(Ordering::Relaxed);
        self.queue
            .generation
            .store(generation + 1, Ordering::Release);
    }
}
