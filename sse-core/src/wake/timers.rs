//! `Timers`: the timers of one runtime.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::WakeTask;

/// The ticks of a second. Deadlines are rounded up to a tick, so that clients which are due at
/// about the same time are woken together.
pub(crate) const TICKS_PER_SECOND: u64 = 100;

/// A timer, which is started anywhere and fires once.
pub(crate) trait Timer: Send + Sync {
    /// Returns the tick at which it is due; 0 while it is stopped. Stored only under the lock of
    /// the timers.
    fn due(&self) -> &AtomicU64;

    /// Acts, because the timer is due. Called by the wake task, without a lock: it must not take
    /// long.
    fn fire(self: Arc<Self>, wake_task: &Arc<WakeTask>);
}

/// The running timers, by the tick at which they are due and by their address.
#[derive(Default)]
pub(super) struct Timers {
    running: BTreeMap<(u64, usize), Arc<dyn Timer>>,
}

impl Timers {
    /// Starts a timer, or restarts it. Returns `true` if it is the first to be due.
    pub(super) fn start(&mut self, due: u64, timer: Arc<dyn Timer>) -> bool {
        self.stop(timer.as_ref());
        let is_first = self.first().is_none_or(|first| due < first);
        timer.due().store(due, Ordering::Relaxed);
        let key = (due, address(timer.as_ref()));
        self.running.insert(key, timer);
        is_first
    }

    /// Stops a timer, if it runs here.
    pub(super) fn stop(&mut self, timer: &dyn Timer) -> Option<Arc<dyn Timer>> {
        let due = timer.due().load(Ordering::Relaxed);
        let removed = self.running.remove(&(due, address(timer)))?;
        timer.due().store(0, Ordering::Relaxed);
        Some(removed)
    }

    /// Returns the tick at which the next timer is due.
    pub(super) fn first(&self) -> Option<u64> {
        self.running.first_key_value().map(|((tick, _), _)| *tick)
    }

    /// Takes the timers that are due, to fire without the lock.
    pub(super) fn take_until(&mut self, tick: u64) -> BTreeMap<(u64, usize), Arc<dyn Timer>> {
        let later = self.running.split_off(&(tick + 1, 0));
        let due = std::mem::replace(&mut self.running, later);
        for timer in due.values() {
            timer.due().store(0, Ordering::Relaxed);
        }
        due
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.running.len()
    }
}

fn address(timer: &dyn Timer) -> usize {
    std::ptr::from_ref(timer).addr()
}

/// Returns the tick that has begun at this time since the start.
pub(super) fn tick_at(time: Duration) -> u64 {
    let part = u64::from(time.subsec_millis()) * TICKS_PER_SECOND / 1_000;
    time.as_secs()
        .saturating_mul(TICKS_PER_SECOND)
        .saturating_add(part)
}

/// Returns the time since the start at which a tick begins.
pub(super) fn time_of(tick: u64) -> Duration {
    Duration::from_millis(tick.saturating_mul(1_000 / TICKS_PER_SECOND))
}
