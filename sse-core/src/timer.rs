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

use tokio::{
    runtime::{self, Handle},
    sync::Notify,
    time::{Instant, timeout_at},
};

/// Deadlines are rounded up to this: clients due at about the same time are woken together.
const TICK_MILLIS: u64 = 10;

/// Wakes many wakers from one task.
#[derive(Debug)]
pub(crate) struct Timer {
    start: Instant,
    alarms: Mutex<Alarms>,
    /// There is an alarm earlier than the one that the task waits for.
    earlier: Notify,
    /// The task has been spawned.
    started: AtomicBool,
}

/// Wakers by the tick at which they are due, and by a number that is never used again.
#[derive(Debug, Default)]
struct Alarms {
    wakers: BTreeMap<Key, Waker>,
    next_number: u64,
}

type Key = (u64, u64);

/// A waker that is to be woken. Dropping it takes the waker out.
#[derive(Debug)]
pub(crate) struct Alarm {
    timer: Arc<Timer>,
    key: Key,
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
            alarms: Mutex::default(),
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
        let mut alarms = self.alarms();
        let key = (self.tick_of(at) + 1, alarms.next_number);
        alarms.next_number += 1;
        let is_first = alarms.first().is_none_or(|first| key.0 < first);
        alarms.wakers.insert(key, waker.clone());
        drop(alarms);
        if is_first {
            self.earlier.notify_one();
        }
        Alarm {
            timer: Arc::clone(self),
            key,
            waker: waker.clone(),
        }
    }

    /// Runs until the runtime ends.
    async fn run(self: Arc<Self>, _unlist: Unlist) {
        loop {
            let first = self.alarms().first();
            match first {
                None => self.earlier.notified().await,
                Some(tick) => {
                    let due = self.start + Duration::from_millis(tick.saturating_mul(TICK_MILLIS));
                    if timeout_at(due, self.earlier.notified()).await.is_err() {
                        self.fire();
                    }
                }
            }
        }
    }

    fn fire(&self) {
        let next = self.tick_of(Instant::now()) + 1;
        let mut alarms = self.alarms();
        let later = alarms.wakers.split_off(&(next, 0));
        let due = std::mem::replace(&mut alarms.wakers, later);
        drop(alarms);
        due.into_values().for_each(Waker::wake);
    }

    fn tick_of(&self, at: Instant) -> u64 {
        let millis = at.saturating_duration_since(self.start).as_millis();
        u64::try_from(millis).unwrap_or(u64::MAX) / TICK_MILLIS
    }

    fn alarms(&self) -> MutexGuard<'_, Alarms> {
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Alarms {
    /// The tick at which the next one is due.
    fn first(&self) -> Option<u64> {
        self.wakers.first_key_value().map(|((tick, _), _)| *tick)
    }
}

impl Alarm {
    /// Whether it will still go off, and for this waker.
    pub(crate) fn is_set_for(&self, waker: &Waker, now: Instant) -> bool {
        self.key.0 > self.timer.tick_of(now) && self.waker.will_wake(waker)
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        let waker = self.timer.alarms().wakers.remove(&self.key);
        // Without the lock: a waker may be the last to hold a task, and the task another alarm.
        drop(waker);
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

#[cfg(test)]
mod tests {
    use std::{
        sync::{Arc, atomic::AtomicUsize, atomic::Ordering},
        task::{Wake, Waker},
        time::Duration,
    };

    use tokio::time::{Instant, advance, sleep};

    use super::Timer;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn counter() -> (Arc<Count>, Waker) {
        let count = Arc::new(Count::default());
        (Arc::clone(&count), count.into())
    }

    #[tokio::test(start_paused = true)]
    async fn alarms_go_off_when_due_and_not_before() {
        let timer = Timer::current().unwrap();
        let (count, waker) = counter();
        let now = Instant::now();
        let alarms =
            [20, 50, 10].map(|seconds| timer.set(now + Duration::from_secs(seconds), &waker));
        for (seconds, expected) in [(9, 0), (2, 1), (8, 1), (2, 2), (40, 3)] {
            // deadline: paused time, which passes at once
            sleep(Duration::from_secs(seconds)).await;
            assert_eq!(count.0.load(Ordering::Relaxed), expected);
        }
        assert!(
            alarms
                .iter()
                .all(|alarm| !alarm.is_set_for(&waker, Instant::now()))
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_dropped_alarm_leaves_nothing_and_disturbs_no_other() {
        let timer = Timer::current().unwrap();
        let (count, waker) = counter();
        let at = Instant::now() + Duration::from_secs(1);
        let (dropped, _kept) = (timer.set(at, &waker), timer.set(at, &waker));
        drop(dropped);
        assert_eq!(timer.alarms().wakers.len(), 1);
        // deadline: paused time, which passes at once
        sleep(Duration::from_secs(2)).await;
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
        assert!(timer.alarms().wakers.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn it_runs_for_years() {
        let timer = Timer::current().unwrap();
        let (count, waker) = counter();
        advance(Duration::from_secs(10 * 365 * 24 * 60 * 60)).await;
        let _alarm = timer.set(Instant::now() + Duration::from_secs(15), &waker);
        // deadline: paused time, which passes at once
        sleep(Duration::from_secs(14)).await;
        assert_eq!(count.0.load(Ordering::Relaxed), 0);
        // deadline: paused time, which passes at once
        sleep(Duration::from_secs(2)).await;
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
    }
}
