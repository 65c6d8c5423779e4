//! One timer per runtime for all keep-alives in it: no task and no timer per client.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, LazyLock, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::Waker,
    time::Duration,
};

use slab::Slab;
use tokio::{
    runtime::{self, Handle},
    sync::Notify,
    time::{Instant, timeout_at},
};

/// Deadlines are rounded up to this: clients due at about the same time are woken together.
const TICK: Duration = Duration::from_millis(10);

/// Wakes many wakers from one task.
#[derive(Debug)]
pub(crate) struct Timer {
    start: Instant,
    slots: Mutex<BTreeMap<u64, Slab<Waker>>>,
    /// There is a slot earlier than the one that the task waits for.
    earlier: Notify,
    /// The task has been spawned.
    started: AtomicBool,
}

/// A waker that is to be woken. Dropping it takes the waker out.
#[derive(Debug)]
pub(crate) struct Alarm {
    timer: Arc<Timer>,
    tick: u64,
    key: usize,
    waker: Waker,
}

impl Timer {
    /// The timer of the runtime we are in, or `None` outside of one.
    pub(crate) fn current() -> Option<Arc<Self>> {
        let runtime = Handle::try_current().ok()?;
        if let Some(timer) = timers().get(&runtime.id()) {
            return Some(Arc::clone(timer));
        }
        let timer = Arc::new(Self {
            start: Instant::now(),
            slots: Mutex::default(),
            earlier: Notify::new(),
            started: AtomicBool::new(false),
        });
        let timer = Arc::clone(timers().entry(runtime.id()).or_insert(timer));
        // Without the lock: a runtime that is ending drops the task at once, which takes it.
        if !timer.started.swap(true, Ordering::Relaxed) {
            runtime.spawn(Arc::clone(&timer).run(Unlist(runtime.id())));
        }
        Some(timer)
    }

    /// Sets an alarm for a waker.
    pub(crate) fn set(self: &Arc<Self>, at: Instant, waker: &Waker) -> Alarm {
        let tick = self.tick_of(at) + 1;
        let mut slots = self.slots();
        let is_first = slots
            .first_key_value()
            .is_none_or(|(first, _)| tick < *first);
        let key = slots.entry(tick).or_default().insert(waker.clone());
        drop(slots);
        if is_first {
            self.earlier.notify_one();
        }
        Alarm {
            timer: Arc::clone(self),
            tick,
            key,
            waker: waker.clone(),
        }
    }

    /// Runs until the runtime ends.
    async fn run(self: Arc<Self>, _unlist: Unlist) {
        loop {
            let first = self.slots().first_key_value().map(|(tick, _)| *tick);
            match first {
                None => self.earlier.notified().await,
                Some(tick) => {
                    let due = self.start + TICK * u32::try_from(tick).unwrap_or(u32::MAX);
                    if timeout_at(due, self.earlier.notified()).await.is_err() {
                        self.fire();
                    }
                }
            }
        }
    }

    fn fire(&self) {
        let now = self.tick_of(Instant::now());
        let mut slots = self.slots();
        let later = slots.split_off(&(now + 1));
        let due = std::mem::replace(&mut *slots, later);
        drop(slots);
        for (_, waker) in due.into_values().flatten() {
            waker.wake();
        }
    }

    fn tick_of(&self, at: Instant) -> u64 {
        let ticks = at.saturating_duration_since(self.start).as_millis() / TICK.as_millis();
        u64::try_from(ticks).unwrap_or(u64::MAX)
    }

    fn slots(&self) -> MutexGuard<'_, BTreeMap<u64, Slab<Waker>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Alarm {
    /// Whether it will still go off, and for this waker.
    pub(crate) fn is_set_for(&self, waker: &Waker, now: Instant) -> bool {
        self.tick > self.timer.tick_of(now) && self.waker.will_wake(waker)
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        let mut slots = self.timer.slots();
        if let Some(slot) = slots.get_mut(&self.tick) {
            slot.try_remove(self.key);
            if slot.is_empty() {
                slots.remove(&self.tick);
            }
        }
    }
}

/// Takes a timer off the list when its runtime drops its task.
struct Unlist(runtime::Id);

impl Drop for Unlist {
    fn drop(&mut self) {
        timers().remove(&self.0);
    }
}

fn timers() -> MutexGuard<'static, HashMap<runtime::Id, Arc<Timer>>> {
    static TIMERS: LazyLock<Mutex<HashMap<runtime::Id, Arc<Timer>>>> =
        LazyLock::new(Mutex::default);
    TIMERS.lock().unwrap_or_else(PoisonError::into_inner)
}
