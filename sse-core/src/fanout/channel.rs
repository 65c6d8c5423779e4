//! One topic: its queue, and those who wait for it.

use std::{num::NonZeroU64, sync::Arc, task::Waker};

use bytes::Bytes;

use super::{
    bounds::{Bounds, Budget},
    queue::Queue,
    waiting::{Calls, Place, Waiting},
};
use crate::{
    attendant::Attendant,
    replay::Position,
    sync::{AtomicU64, Mutex, MutexGuard, Ordering, lock},
};

/// One topic.
#[derive(Debug)]
pub(super) struct Channel {
    /// The number of the newest message, to see without the lock that there is nothing to take.
    newest: AtomicU64,
    /// Rises when those who wait are called, to see without the lock that a registration still holds. From 1.
    round: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) queue: Queue,
    waiting: Waiting,
}

/// Where a reader's waker is; void once those who waited in its round have been called.
#[derive(Clone, Copy, Debug)]
pub(super) struct Registration {
    round: NonZeroU64,
    place: Place,
}

/// A channel whose lock is held.
pub(super) struct Locked<'a> {
    channel: &'a Channel,
    state: MutexGuard<'a, State>,
}

impl Channel {
    /// A topic without messages, whose readers skip what they have lost or do not.
    pub(super) fn new(skips: bool) -> Self {
        Self {
            newest: AtomicU64::new(0),
            round: AtomicU64::new(1),
            state: Mutex::new(State {
                queue: Queue::new(skips),
                waiting: Waiting::default(),
            }),
        }
    }

    /// Whether there may be a message after this number. To be asked after the number of
    /// the newest message of all was read; then `false` is certain up to that number.
    pub(super) fn may_have_after(&self, number: NonZeroU64) -> bool {
        self.newest.load(Ordering::Acquire) > number.get()
    }

    pub(super) fn lock(&self) -> Locked<'_> {
        Locked {
            channel: self,
            state: self.state(),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Whether a waker registered there will be woken by the next message, or is just being woken.
    pub(super) fn holds(&self, registration: Registration) -> bool {
        registration.round.get() == self.round.load(Ordering::Acquire)
    }

    /// Keeps a waker until the next message, unless it is kept already.
    pub(super) fn register(
        &self,
        state: &mut State,
        registration: &mut Option<Registration>,
        waker: &Waker,
        attendant: Option<&Arc<Attendant>>,
    ) {
        if registration.is_none_or(|registration| !self.holds(registration)) {
            let round = NonZeroU64::new(self.round.load(Ordering::Relaxed));
            *registration = round.map(|round| Registration {
                round,
                place: state.waiting.add(waker, attendant),
            });
        }
    }

    /// Takes a waker back, if it is still there; to be dropped without a lock.
    pub(super) fn unregister(&self, registration: Registration) -> Option<Waker> {
        let mut state = self.state();
        if self.holds(registration) {
            state.waiting.remove(registration.place)
        } else {
            None
        }
    }
}

impl Locked<'_> {
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
        self.channel.newest.store(number.get(), Ordering::Release);
    }

    /// Ends the round.
    pub(super) fn call(&mut self, calls: &mut Calls) {
        self.state.waiting.call(calls);
        let round = self.channel.round.load(Ordering::Relaxed);
        self.channel.round.store(round + 1, Ordering::Release);
    }
}
