//! One task per runtime that wakes others: at a time, or many at once. No task and no timer per client.

mod alarms;
mod crowds;

use std::{
    collections::{HashMap, hash_map::Entry},
    fmt,
    future::pending,
    panic,
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
    task::yield_now,
    time::{Instant, timeout_at},
};

pub(crate) use self::alarms::{Sleeper, TICKS_PER_SECOND};
use self::{alarms::Alarms, crowds::Crowds};

/// Wakes others, from one task.
pub(crate) struct Attendant {
    start: Instant,
    alarms: Mutex<Alarms>,
    crowds: Mutex<Crowds>,
    /// There is a crowd to wake, or an alarm earlier than the one that the task waits for.
    called: Notify,
    /// The task has been dropped.
    ended: AtomicBool,
}

impl Attendant {
    /// The attendant of the runtime we are in. `None` outside of one, and in one that has no clock.
    pub(crate) fn current() -> Option<Arc<Self>> {
        let runtime = Handle::try_current().ok()?;
        if let Some(attendant) = attendants().get(&runtime.id()) {
            return attendant.clone();
        }
        let attendant = has_clock().then(|| {
            Arc::new(Self {
                start: Instant::now(),
                alarms: Mutex::default(),
                crowds: Mutex::default(),
                called: Notify::new(),
                ended: AtomicBool::new(false),
            })
        });
        if let Entry::Vacant(entry) = attendants().entry(runtime.id()) {
            entry.insert(attendant.clone());
        } else {
            // Somebody else was first.
            return Self::current();
        }
        // Without the lock: a runtime that is ending drops the task at once, which takes it.
        let dismissal = Dismissal(runtime.id(), attendant.clone());
        match &attendant {
            Some(attendant) => drop(runtime.spawn(Arc::clone(attendant).run(dismissal))),
            // To take it off the list with its runtime.
            None => drop(runtime.spawn(async move {
                let _dismissal = dismissal;
                pending::<()>().await;
            })),
        }
        attendant
    }

    /// Whether the runtime we are in, if any, lacks the clock that alarms need.
    pub(crate) fn lacks_clock() -> bool {
        Handle::try_current().is_ok() && Self::current().is_none()
    }

    /// The tick that has begun. Never 0.
    pub(crate) fn now(&self) -> u64 {
        alarms::tick_at(self.start.elapsed()) + 1
    }

    /// Sets the alarm of a sleeper, instead of the one it has here.
    pub(crate) fn set(&self, due: u64, sleeper: Arc<dyn Sleeper>) {
        if self.alarms().set(due, sleeper) {
            self.called.notify_one();
        }
    }

    /// Clears the alarm of a sleeper, if it has one here.
    pub(crate) fn clear(&self, sleeper: &dyn Sleeper) {
        let cleared = self.alarms().clear(sleeper);
        // Without the lock: it may be the last to hold the sleeper.
        drop(cleared);
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
                yield_now().await;
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

    fn fire(self: &Arc<Self>) {
        let due = self.alarms().take_until(self.now());
        for sleeper in due.into_values() {
            sleeper.ring(self);
        }
    }

    /// When a tick begins.
    fn time_of(&self, tick: u64) -> Instant {
        self.start + alarms::time_of(tick.saturating_sub(1))
    }

    fn alarms(&self) -> MutexGuard<'_, Alarms> {
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn crowds(&self) -> MutexGuard<'_, Crowds> {
        self.crowds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the runtime we are in has a clock. Tokio tells it only by a panic, whose message says what is missing.
fn has_clock() -> bool {
    panic::catch_unwind(|| drop(tokio::time::sleep(Duration::ZERO))).is_ok()
}

/// Takes an attendant off the list when its runtime drops its task, and wakes those who still wait for it.
struct Dismissal(runtime::Id, Option<Arc<Attendant>>);

impl Drop for Dismissal {
    fn drop(&mut self) {
        attendants().remove(&self.0);
        let Some(attendant) = &self.1 else { return };
        attendant.ended.store(true, Ordering::Relaxed);
        let rest = attendant.crowds().close();
        for crowd in rest {
            crowd.for_each(|(_, waker)| waker.wake());
        }
    }
}

type Attendants = HashMap<runtime::Id, Option<Arc<Attendant>>>;

fn attendants() -> MutexGuard<'static, Attendants> {
    static ATTENDANTS: LazyLock<Mutex<Attendants>> = LazyLock::new(Mutex::default);
    ATTENDANTS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Attendant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attendant")
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicU64, AtomicUsize, Ordering},
        },
        task::{Wake, Waker},
        time::Duration,
    };

    use slab::Slab;
    use tokio::{
        runtime::Builder,
        task::yield_now,
        time::{advance, sleep},
    };

    use super::{Attendant, Sleeper, TICKS_PER_SECOND};

    #[derive(Default)]
    struct Count(AtomicUsize);

    /// Counts how often it was called.
    #[derive(Default)]
    struct Counter {
        due: AtomicU64,
        count: Arc<Count>,
    }

    impl Sleeper for Counter {
        fn due(&self) -> &AtomicU64 {
            &self.due
        }

        fn ring(self: Arc<Self>, _: &Arc<Attendant>) {
            self.count.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn sleeper(count: &Arc<Count>) -> Arc<Counter> {
        Arc::new(Counter {
            due: AtomicU64::new(0),
            count: Arc::clone(count),
        })
    }

    fn in_seconds(attendant: &Attendant, seconds: u64) -> u64 {
        attendant.now() + seconds * TICKS_PER_SECOND
    }

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
        let count = Arc::new(Count::default());
        let sleepers = [20, 50, 10].map(|seconds| {
            let sleeper = sleeper(&count);
            attendant.set(in_seconds(&attendant, seconds), Arc::clone(&sleeper) as _);
            sleeper
        });
        for (seconds, expected) in [(9, 0), (2, 1), (8, 1), (2, 2), (40, 3)] {
            // deadline: paused time, which passes at once
            sleep(Duration::from_secs(seconds)).await;
            assert_eq!(count.get(), expected);
        }
        assert!(
            sleepers
                .iter()
                .all(|it| it.due.load(Ordering::Relaxed) == 0)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_cleared_alarm_leaves_nothing_and_disturbs_no_other() {
        let attendant = Attendant::current().unwrap();
        let count = Arc::new(Count::default());
        let (cleared, kept) = (sleeper(&count), sleeper(&count));
        for sleeper in [&cleared, &kept, &cleared] {
            attendant.set(in_seconds(&attendant, 1), Arc::clone(sleeper) as _);
        }
        attendant.clear(cleared.as_ref());
        attendant.clear(cleared.as_ref());
        assert_eq!(attendant.alarms().len(), 1);
        // deadline: paused time, which passes at once
        sleep(Duration::from_secs(2)).await;
        assert_eq!(count.get(), 1);
        assert_eq!(attendant.alarms().len(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn it_runs_for_years() {
        let attendant = Attendant::current().unwrap();
        let count = Arc::new(Count::default());
        advance(Duration::from_secs(10 * 365 * 24 * 60 * 60)).await;
        attendant.set(in_seconds(&attendant, 15), sleeper(&count));
        // deadline: paused time, which passes at once
        sleep(Duration::from_secs(14)).await;
        assert_eq!(count.get(), 0);
        // deadline: paused time, which passes at once
        sleep(Duration::from_secs(2)).await;
        assert_eq!(count.get(), 1);
    }

    #[test]
    fn a_runtime_without_a_clock_has_none_and_leaves_nothing() {
        let runtime = Builder::new_current_thread().build().unwrap();
        let id = runtime.handle().id();
        runtime.block_on(async {
            assert!(Attendant::current().is_none());
            assert!(Attendant::lacks_clock());
        });
        assert!(super::attendants().contains_key(&id));
        drop(runtime);
        assert!(!super::attendants().contains_key(&id));
        assert!(!Attendant::lacks_clock(), "there is no runtime");
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
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
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
