//! One task per runtime that wakes others: at a time, or many at once. No task and no timer per client.

mod alarms;
mod crowds;

use std::{
    collections::HashMap,
    sync::{
        Arc, LazyLock, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::Waker,
};

use slab::Slab;
use tokio::{
    runtime::{self, Handle},
    sync::Notify,
    task::yield_now,
    time::{Instant, timeout_at},
};

pub(crate) use self::alarms::Alarm;
use self::{alarms::Alarms, crowds::Crowds};

/// Wakes others, from one task.
#[derive(Debug)]
pub(crate) struct Attendant {
    start: Instant,
    alarms: Mutex<Alarms>,
    crowds: Mutex<Crowds>,
    /// There is a crowd to wake, or an alarm earlier than the one that the task waits for.
    called: Notify,
    /// The task has been spawned.
    started: AtomicBool,
    /// The task has been dropped.
    ended: AtomicBool,
}

impl Attendant {
    /// The attendant of the runtime we are in, or `None` outside of one.
    pub(crate) fn current() -> Option<Arc<Self>> {
        let runtime = Handle::try_current().ok()?;
        if let Some(attendant) = attendants().get(&runtime.id()) {
            return Some(Arc::clone(attendant));
        }
        let attendant = Arc::new(Self {
            start: Instant::now(),
            alarms: Mutex::default(),
            crowds: Mutex::default(),
            called: Notify::new(),
            started: AtomicBool::new(false),
            ended: AtomicBool::new(false),
        });
        let attendant = Arc::clone(attendants().entry(runtime.id()).or_insert(attendant));
        // Without the lock: a runtime that is ending drops the task at once, which takes it.
        if !attendant.started.swap(true, Ordering::Relaxed) {
            let dismissal = Dismissal(runtime.id(), Arc::clone(&attendant));
            runtime.spawn(Arc::clone(&attendant).run(dismissal));
        }
        Some(attendant)
    }

    /// Sets an alarm for a waker.
    pub(crate) fn set(self: &Arc<Self>, at: Instant, waker: &Waker) -> Alarm {
        let due = alarms::tick_after(at - self.start);
        let (number, is_first) = self.alarms().insert(due, waker);
        if is_first {
            self.called.notify_one();
        }
        Alarm::new(self, due, number, waker)
    }

    /// Wakes a crowd, in the order of its table, while others get their turn.
    pub(crate) fn wake_all(&self, wakers: Slab<Waker>) {
        match self.crowds().push(wakers) {
            Ok(()) => self.called.notify_one(),
            Err(wakers) => wakers.into_iter().for_each(|(_, waker)| waker.wake()),
        }
    }

    /// Whether the runtime has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    /// Runs until the runtime ends.
    async fn run(self: Arc<Self>, _dismissal: Dismissal) {
        let mut some = Vec::new();
        loop {
            self.crowds().take_some(&mut some);
            let is_crowded = !some.is_empty();
            some.drain(..).for_each(Waker::wake);
            let next = self.alarms().first();
            if next.is_some_and(|tick| self.time_of(tick) <= Instant::now()) {
                self.fire();
            } else if is_crowded {
                yield_now().await;
            } else if let Some(tick) = next {
                // Called or due: either way there is something to look for.
                let _ = timeout_at(self.time_of(tick), self.called.notified()).await;
            } else {
                self.called.notified().await;
            }
        }
    }

    fn fire(&self) {
        let tick = alarms::tick_at(self.start.elapsed());
        let due = self.alarms().take_until(tick);
        due.into_values().for_each(Waker::wake);
    }

    fn time_of(&self, tick: u64) -> Instant {
        self.start + alarms::time_of(tick)
    }

    fn alarms(&self) -> MutexGuard<'_, Alarms> {
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn crowds(&self) -> MutexGuard<'_, Crowds> {
        self.crowds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes an attendant off the list when its runtime drops its task, and wakes those who still wait for it.
struct Dismissal(runtime::Id, Arc<Attendant>);

impl Drop for Dismissal {
    fn drop(&mut self) {
        attendants().remove(&self.0);
        self.1.ended.store(true, Ordering::Relaxed);
        let rest = self.1.crowds().close();
        for crowd in rest {
            crowd.for_each(|(_, waker)| waker.wake());
        }
    }
}

fn attendants() -> MutexGuard<'static, HashMap<runtime::Id, Arc<Attendant>>> {
    static ATTENDANTS: LazyLock<Mutex<HashMap<runtime::Id, Arc<Attendant>>>> =
        LazyLock::new(Mutex::default);
    ATTENDANTS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{Arc, atomic::AtomicUsize, atomic::Ordering},
        task::{Wake, Waker},
        time::Duration,
    };

    use slab::Slab;
    use tokio::{
        runtime::Builder,
        task::yield_now,
        time::{Instant, advance, sleep},
    };

    use super::Attendant;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Count {
        fn get(&self) -> usize {
            self.0.load(Ordering::Relaxed)
        }
    }

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn counter() -> (Arc<Count>, Waker) {
        let count = Arc::new(Count::default());
        (Arc::clone(&count), count.into())
    }

    fn crowd(waker: &Waker, count: usize) -> Slab<Waker> {
        (0..count).map(|key| (key, waker.clone())).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn alarms_go_off_when_due_and_not_before() {
        let attendant = Attendant::current().unwrap();
        let (count, waker) = counter();
        let now = Instant::now();
        let alarms =
            [20, 50, 10].map(|seconds| attendant.set(now + Duration::from_secs(seconds), &waker));
        for (seconds, expected) in [(9, 0), (2, 1), (8, 1), (2, 2), (40, 3)] {
            // deadline: paused time, which passes at once
            sleep(Duration::from_secs(seconds)).await;
            assert_eq!(count.get(), expected);
        }
        assert!(
            alarms
                .iter()
                .all(|alarm| !alarm.is_set_for(&waker, Instant::now()))
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_dropped_alarm_leaves_nothing_and_disturbs_no_other() {
        let attendant = Attendant::current().unwrap();
        let (count, waker) = counter();
        let at = Instant::now() + Duration::from_secs(1);
        let (dropped, _kept) = (attendant.set(at, &waker), attendant.set(at, &waker));
        drop(dropped);
        assert_eq!(attendant.alarms().len(), 1);
        // deadline: paused time, which passes at once
        sleep(Duration::from_secs(2)).await;
        assert_eq!(count.get(), 1);
        assert_eq!(attendant.alarms().len(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn it_runs_for_years() {
        let attendant = Attendant::current().unwrap();
        let (count, waker) = counter();
        advance(Duration::from_secs(10 * 365 * 24 * 60 * 60)).await;
        let _alarm = attendant.set(Instant::now() + Duration::from_secs(15), &waker);
        // deadline: paused time, which passes at once
        sleep(Duration::from_secs(14)).await;
        assert_eq!(count.get(), 0);
        // deadline: paused time, which passes at once
        sleep(Duration::from_secs(2)).await;
        assert_eq!(count.get(), 1);
    }

    #[tokio::test]
    async fn crowds_are_woken_bit_by_bit() {
        // Also those that end with a bit, and several in one.
        for sizes in [&[10_000, 1][..], &[1_024, 512, 512, 3], &[0, 1, 511, 0, 40]] {
            let attendant = Attendant::current().unwrap();
            let (count, waker) = counter();
            for size in sizes {
                attendant.wake_all(crowd(&waker, *size));
            }
            assert_eq!(count.get(), 0, "not by the caller");
            let all = sizes.iter().sum();
            let mut turns = 0;
            while count.get() < all {
                yield_now().await;
                turns += 1;
                assert!(turns < 10_000, "{} of {all} are woken", count.get());
            }
            assert!(turns > all / 1_000, "others got their turn in between");
        }
    }

    #[test]
    fn who_waits_for_a_runtime_that_ends_is_woken() {
        let runtime = Builder::new_current_thread().build().unwrap();
        let attendant = runtime.block_on(async { Attendant::current() }).unwrap();
        let (count, waker) = counter();
        attendant.wake_all(crowd(&waker, 1_000));
        drop(runtime);
        assert_eq!(count.get(), 1_000);
        assert!(attendant.has_ended());
        attendant.wake_all(crowd(&waker, 1_000));
        assert_eq!(count.get(), 2_000);
    }
}
