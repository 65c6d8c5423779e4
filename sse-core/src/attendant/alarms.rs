//! Wakers that are to be woken at a time.

use std::{collections::BTreeMap, sync::Arc, task::Waker, time::Duration};

use tokio::time::Instant;

use super::Attendant;

/// Deadlines are rounded up to a tick: clients due at about the same time are woken together.
const TICKS_PER_SECOND: u64 = 100;

/// Wakers by the tick at which they are due, and by a number that is never used again.
#[derive(Debug, Default)]
pub(super) struct Alarms {
    wakers: BTreeMap<(u64, u64), Waker>,
    next_number: u64,
}

/// A waker that is to be woken. Dropping it takes the waker out.
#[derive(Debug)]
pub(crate) struct Alarm {
    attendant: Arc<Attendant>,
    due: u64,
    number: u64,
    waker: Waker,
}

impl Alarms {
    /// Adds a waker. Returns its number and whether it is the first to be due.
    pub(super) fn insert(&mut self, due: u64, waker: &Waker) -> (u64, bool) {
        let number = self.next_number;
        self.next_number += 1;
        let is_first = self.first().is_none_or(|first| due < first);
        self.wakers.insert((due, number), waker.clone());
        (number, is_first)
    }

    /// The tick at which the next one is due.
    pub(super) fn first(&self) -> Option<u64> {
        self.wakers.first_key_value().map(|((tick, _), _)| *tick)
    }

    /// Those that are due, to be woken without the lock.
    pub(super) fn take_until(&mut self, tick: u64) -> BTreeMap<(u64, u64), Waker> {
        let later = self.wakers.split_off(&(tick + 1, 0));
        std::mem::replace(&mut self.wakers, later)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.wakers.len()
    }
}

impl Alarm {
    pub(super) fn new(attendant: &Arc<Attendant>, due: u64, number: u64, waker: &Waker) -> Self {
        Self {
            attendant: Arc::clone(attendant),
            due,
            number,
            waker: waker.clone(),
        }
    }

    /// Whether it will still go off, and for this waker.
    pub(crate) fn is_set_for(&self, waker: &Waker, now: Instant) -> bool {
        self.due > tick_at(now - self.attendant.start) && self.waker.will_wake(waker)
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        let waker = self
            .attendant
            .alarms()
            .wakers
            .remove(&(self.due, self.number));
        // Without the lock: a waker may be the last to hold a task, and the task another alarm.
        drop(waker);
    }
}

/// The tick that has begun at this time since the start.
pub(super) fn tick_at(time: Duration) -> u64 {
    let part = u64::from(time.subsec_millis()) * TICKS_PER_SECOND / 1_000;
    time.as_secs()
        .saturating_mul(TICKS_PER_SECOND)
        .saturating_add(part)
}

/// The first tick that begins after this time.
pub(super) fn tick_after(time: Duration) -> u64 {
    tick_at(time).saturating_add(1)
}

/// When a tick begins.
pub(super) fn time_of(tick: u64) -> Duration {
    Duration::from_millis(tick.saturating_mul(1_000 / TICKS_PER_SECOND))
}
