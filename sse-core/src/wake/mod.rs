//! `WakeTask`: one task per runtime that wakes others, when a timer is due or many at once. There
//! is no task and no timer of the runtime per client.

mod batches;
mod timers;

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

pub(crate) use self::timers::{TICKS_PER_SECOND, Timer};
use self::{batches::Batches, timers::Timers};

/// The task of a runtime that wakes others.
pub(crate) struct WakeTask {
    start: Instant,
    timers: Mutex<Timers>,
    batches: Mutex<Batches>,
    /// Notified of wakers to wake, and of a timer that is due earlier than the one waited for.
    changed: Notify,
    /// The task has been dropped.
    ended: AtomicBool,
}

impl WakeTask {
    /// Returns the wake task of the current runtime. `None` outside of a runtime, and in one
    /// without a clock.
    pub(crate) fn current() -> Option<Arc<Self>> {
        let runtime = Handle::try_current().ok()?;
        if let Some(wake_task) = wake_tasks().get(&runtime.id()) {
            return wake_task.clone();
        }
        let wake_task = has_clock().then(|| {
            Arc::new(Self {
                start: Instant::now(),
                timers: Mutex::default(),
                batches: Mutex::default(),
                changed: Notify::new(),
                ended: AtomicBool::new(false),
            })
        });
        if let Entry::Vacant(entry) = wake_tasks().entry(runtime.id()) {
            entry.insert(wake_task.clone());
        } else {
            // Another thread was first.
            return Self::current();
        }
        // Without the lock, because a runtime that is ending drops the task at once, which takes
        // it.
        let retirement = Retirement(runtime.id(), wake_task.clone());
        match &wake_task {
            Some(wake_task) => drop(runtime.spawn(Arc::clone(wake_task).run(retirement))),
            // Takes it off the list together with the runtime.
            None => drop(runtime.spawn(async move {
                let _retirement = retirement;
                pending::<()>().await;
            })),
        }
        wake_task
    }

    /// Returns `true` in a runtime without the clock that timers need.
    pub(crate) fn lacks_clock() -> bool {
        Handle::try_current().is_ok() && Self::current().is_none()
    }

    /// Returns the tick that has begun, which is never 0.
    pub(crate) fn now(&self) -> u64 {
        timers::tick_at(self.start.elapsed()) + 1
    }

    /// Starts a timer, or restarts it if it runs here.
    pub(crate) fn start_timer(&self, due: u64, timer: Arc<dyn Timer>) {
        if self.timers().start(due, timer) {
            self.changed.notify_one();
        }
    }

    /// Stops a timer, if it runs here.
    pub(crate) fn stop_timer(&self, timer: &dyn Timer) {
        let stopped = self.timers().stop(timer);
        // Dropped without the lock: it may be the last to hold the timer.
        drop(stopped);
    }

    /// Wakes many, in the order of their table, and lets other tasks run in between.
    pub(crate) fn wake_all(&self, wakers: Slab<Waker>) {
        match self.batches().push(wakers) {
            Ok(()) => self.changed.notify_one(),
            Err(wakers) => wakers.into_iter().for_each(|(_, waker)| waker.wake()),
        }
    }

    /// Returns `true` once the runtime has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    /// Runs until the runtime ends.
    async fn run(self: Arc<Self>, _retirement: Retirement) {
        let mut batch = Vec::new();
        loop {
            self.batches().next_batch(&mut batch);
            let has_batch = !batch.is_empty();
            batch.drain(..).for_each(Waker::wake);
            let next = self.timers().first();
            if next.is_some_and(|tick| self.time_of(tick) <= Instant::now()) {
                self.fire_due();
                yield_now().await;
            } else if has_batch {
                yield_now().await;
            } else if let Some(tick) = next {
                // Notified or due: either way there is something to do.
                let _ = timeout_at(self.time_of(tick), self.changed.notified()).await;
            } else {
                self.changed.notified().await;
            }
        }
    }

    fn fire_due(self: &Arc<Self>) {
        let due = self.timers().take_until(self.now());
        for timer in due.into_values() {
            timer.fire(self);
        }
    }

    /// Returns the time at which a tick begins.
    fn time_of(&self, tick: u64) -> Instant {
        self.start + timers::time_of(tick.saturating_sub(1))
    }

    fn timers(&self) -> MutexGuard<'_, Timers> {
        self.timers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn batches(&self) -> MutexGuard<'_, Batches> {
        self.batches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns `true` if the current runtime has a clock. Tokio tells it only by a panic, whose message
/// says what is missing.
fn has_clock() -> bool {
    panic::catch_unwind(|| drop(tokio::time::sleep(Duration::ZERO))).is_ok()
}

/// Takes a wake task off the list when its runtime drops it, and wakes the tasks that wait for it.
struct Retirement(runtime::Id, Option<Arc<WakeTask>>);

impl Drop for Retirement {
    fn drop(&mut self) {
        wake_tasks().remove(&self.0);
        let Some(wake_task) = &self.1 else { return };
        wake_task.ended.store(true, Ordering::Relaxed);
        let rest = wake_task.batches().close();
        for wakers in rest {
            wakers.for_each(|(_, waker)| waker.wake());
        }
    }
}

type WakeTasks = HashMap<runtime::Id, Option<Arc<WakeTask>>>;

fn wake_tasks() -> MutexGuard<'static, WakeTasks> {
    static WAKE_TASKS: LazyLock<Mutex<WakeTasks>> = LazyLock::new(Mutex::default);
    WAKE_TASKS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for WakeTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WakeTask")
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

    use super::{TICKS_PER_SECOND, Timer, WakeTask};

    #[derive(Default)]
    struct Count(AtomicUsize);

    /// Counts how often it was called.
    #[derive(Default)]
    struct Counter {
        due: AtomicU64,
        count: Arc<Count>,
    }

    impl Timer for Counter {
        fn due(&self) -> &AtomicU64 {
            &self.due
        }

        fn fire(self: Arc<Self>, _: &Arc<WakeTask>) {
            self.count.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn timer(count: &Arc<Count>) -> Arc<Counter> {
        Arc::new(Counter {
            due: AtomicU64::new(0),
            count: Arc::clone(count),
        })
    }

    fn in_seconds(wake_task: &WakeTask, seconds: u64) -> u64 {
        wake_task.now() + seconds * TICKS_PER_SECOND
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

    fn wakers(waker: &Waker, count: usize) -> Slab<Waker> {
        (0..count).map(|key| (key, waker.clone())).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn timers_fire_when_due_and_not_before() {
        let wake_task = WakeTask::current().unwrap();
        let count = Arc::new(Count::default());
        let timers = [20, 50, 10].map(|seconds| {
            let timer = timer(&count);
            wake_task.start_timer(in_seconds(&wake_task, seconds), Arc::clone(&timer) as _);
            timer
        });
        for (seconds, expected) in [(9, 0), (2, 1), (8, 1), (2, 2), (40, 3)] {
            // deadline: paused time, which passes at once
            sleep(Duration::from_secs(seconds)).await;
            assert_eq!(count.get(), expected);
        }
        assert!(timers.iter().all(|it| it.due.load(Ordering::Relaxed) == 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stopped_timer_leaves_nothing_and_disturbs_no_other() {
        let wake_task = WakeTask::current().unwrap();
        let count = Arc::new(Count::default());
        let (stopped, kept) = (timer(&count), timer(&count));
        for timer in [&stopped, &kept, &stopped] {
            wake_task.start_timer(in_seconds(&wake_task, 1), Arc::clone(timer) as _);
        }
        wake_task.stop_timer(stopped.as_ref());
        wake_task.stop_timer(stopped.as_ref());
        assert_eq!(wake_task.timers().len(), 1);
        // deadline: paused time, which passes at once
        sleep(Duration::from_secs(2)).await;
        assert_eq!(count.get(), 1);
        assert_eq!(wake_task.timers().len(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn it_runs_for_years() {
        let wake_task = WakeTask::current().unwrap();
        let count = Arc::new(Count::default());
        advance(Duration::from_secs(10 * 365 * 24 * 60 * 60)).await;
        wake_task.start_timer(in_seconds(&wake_task, 15), timer(&count));
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
            assert!(WakeTask::current().is_none());
            assert!(WakeTask::lacks_clock());
        });
        assert!(super::wake_tasks().contains_key(&id));
        drop(runtime);
        assert!(!super::wake_tasks().contains_key(&id));
        assert!(!WakeTask::lacks_clock(), "there is no runtime");
    }

    #[tokio::test]
    async fn many_are_woken_in_batches() {
        // Also groups that end with a batch, and several groups in one batch.
        for sizes in [&[10_000, 1][..], &[1_024, 512, 512, 3], &[0, 1, 511, 0, 40]] {
            let wake_task = WakeTask::current().unwrap();
            let (count, waker) = counter();
            for size in sizes {
                wake_task.wake_all(wakers(&waker, *size));
            }
            assert_eq!(count.get(), 0, "not by the caller");
            let all = sizes.iter().sum();
            let mut polls = 0;
            while count.get() < all {
                yield_now().await;
                polls += 1;
                assert!(polls < 10_000, "{} of {all} are woken", count.get());
            }
            assert!(polls > all / 1_000, "others ran in between");
        }
    }

    #[test]
    fn a_task_that_waits_for_a_runtime_that_ends_is_woken() {
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        let wake_task = runtime.block_on(async { WakeTask::current() }).unwrap();
        let (count, waker) = counter();
        wake_task.wake_all(wakers(&waker, 1_000));
        drop(runtime);
        assert_eq!(count.get(), 1_000);
        assert!(wake_task.has_ended());
        wake_task.wake_all(wakers(&waker, 1_000));
        assert_eq!(count.get(), 2_000);
    }
}
