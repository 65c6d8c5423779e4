//! Those who are to be called at a time.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::Attendant;

/// Deadlines are rounded up to a tick: clients due at about the same time are woken together.
pub(crate) const TICKS_PER_SECOND: u64 = 100;

/// Somebody who is called at a time. It has one alarm at most.
pub(crate) trait Sleeper: Send + Sync {
    /// The tick of its alarm; 0 for none. Stored under the lock of the alarms only.
    fn due(&self) -> &AtomicU64;

    /// The time has come. Called by the task that wakes, without a lock: it must not take long.
    fn ring(self: Arc<Self>, attendant: &Arc<Attendant>);
}

/// Sleepers by the tick at which they are due and by their address.
#[derive(Default)]
pub(super) struct Alarms {
    sleepers: BTreeMap<(u64, usize), Arc<dyn Sleeper>>,
}

impl Alarms {
    /// Sets the alarm of a sleeper, instead of the one it has. Returns whether it is the first to be due.
    pub(super) fn set(&mut self, due: u64, sleeper: Arc<dyn Sleeper>) -> bool {
        self.clear(sleeper.as_ref());
        let is_first = self.first().is_none_or(|first| due < first);
        sleeper.due().store(due, Ordering::Relaxed);
        let key = (due, address(sleeper.as_ref()));
        self.sleepers.insert(key, sleeper);
        is_first
    }

    /// Clears the alarm of a sleeper, if it is one of these.
    pub(super) fn clear(&mut self, sleeper: &dyn Sleeper) -> Option<Arc<dyn Sleeper>> {
        let due = sleeper.due().load(Ordering::Relaxed);
        let removed = self.sleepers.remove(&(due, address(sleeper)))?;
        sleeper.due().store(0, Ordering::Relaxed);
        Some(removed)
    }

    /// The tick at which the next one is due.
    pub(super) fn first(&self) -> Option<u64> {
        self.sleepers.first_key_value().map(|((tick, _), _)| *tick)
    }

    /// Takes those that are due, to be called without the lock.
    pub(super) fn take_until(&mut self, tick: u64) -> BTreeMap<(u64, usize), Arc<dyn Sleeper>> {
        let later = self.sleepers.split_off(&(tick + 1, 0));
        let due = std::mem::replace(&mut self.sleepers, later);
        for sleeper in due.values() {
            sleeper.due().store(0, Ordering::Relaxed);
        }
        due
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.sleepers.len()
    }
}

fn address(sleeper: &dyn Sleeper) -> usize {
    std::ptr::from_ref(sleeper).addr()
}

/// The tick that has begun at this time since the start.
pub(super) fn tick_at(time: Duration) -> u64 {
    let part = u64::from(time.subsec_millis()) * TICKS_PER_SECOND / 1_000;
    time.as_secs()
        .saturating_mul(TICKS_PER_SECOND)
        .saturating_add(part)
}

/// When a tick begins.
pub(super) fn time_of(tick: u64) -> Duration {
    Duration::from_millis(tick.saturating_mul(1_000 / TICKS_PER_SECOND))
}
