//! `Lease`: a client's hold on its place in the hub, renewed each time that it takes something.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, TryLockError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

use bytes::Bytes;

use super::{opening::Opening, reconnect::Reconnect};
use crate::{
    resume::Outcome,
    subscriber::Deliveries,
    wake::{TICKS_PER_SECOND, Timer, WakeTask},
    wire::COMMENT,
};

/// The source of a body, shared with the timer that takes it away from a client which takes
/// nothing.
///
/// The framework polls only while it can write, so nothing would look at a client that does not
/// read. The timer fires every keep-alive, wakes the framework, and finds out whether it has polled
/// since the last time.
pub(super) struct Lease {
    /// The tick at which the timer is due.
    due: AtomicU64,
    state: Mutex<State>,
}

/// The state of a body. Times are ticks of the [`WakeTask`]; 0 is none.
pub(super) struct State {
    /// `None` once the body has ended.
    source: Option<Pin<Box<dyn Deliveries>>>,
    /// `None` once nothing of it is left.
    extra: Option<Box<Extra>>,
    /// The waker of the task that polls.
    waker: Option<Waker>,
    /// The wake task of the runtime on which that task runs.
    wake_task: Option<Arc<WakeTask>>,
    /// The tick at which the silence has lasted long enough for a keep-alive.
    silent_until: u64,
    keep_alive: u32,
    send_timeout: u32,
    /// The number of times that the timer fired since the body was last polled.
    missed: u32,
    pub(super) outcome: Outcome,
    /// It has been asked to end, and has not been polled to its end yet.
    is_finishing: bool,
    has_ended: bool,
}

/// The part of the state that most bodies do without, once they have begun.
#[derive(Default)]
struct Extra {
    /// The first bytes; `None` once they have been sent.
    opening: Option<Opening>,
    until: Vec<Pin<Box<dyn Future<Output = ()> + Send + Sync>>>,
    reconnect: Option<Reconnect>,
}

impl Lease {
    pub(super) fn new(
        source: Pin<Box<dyn Deliveries>>,
        opening: Opening,
        outcome: Outcome,
    ) -> Arc<Self> {
        Arc::new(Self {
            due: AtomicU64::new(0),
            state: Mutex::new(State {
                source: Some(source),
                extra: Some(Box::new(Extra {
                    opening: Some(opening),
                    ..Extra::default()
                })),
                waker: None,
                wake_task: None,
                silent_until: 0,
                keep_alive: 0,
                send_timeout: 0,
                missed: 0,
                outcome,
                is_finishing: false,
                has_ended: false,
            }),
        })
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn poll_next(self: &Arc<Self>, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let mut state = self.state();
        state.missed = 0;
        if let Some(opening) = state.take_opening() {
            state.follow_task(self, cx.waker());
            let retry = state.reconnect().map(|_| Reconnect::USUAL);
            return Poll::Ready(Some(opening.into_bytes(retry)));
        }
        if state.has_ended {
            return Poll::Ready(None);
        }
        if let Some(bytes) = ready!(state.poll_source(self, cx)) {
            return Poll::Ready(Some(bytes));
        }
        state.has_ended = true;
        let farewell = state.reconnect().and_then(Reconnect::farewell);
        let rest = state.take();
        drop(state);
        drop(rest);
        Poll::Ready(farewell)
    }

    /// Ends the body, and drops everything that it would have sent.
    pub(super) fn end(&self) {
        let mut state = self.state();
        let wake_task = state.wake_task.take();
        let rest = state.take();
        let waker = state.waker.take();
        drop(state);
        if let Some(wake_task) = wake_task {
            wake_task.stop_timer(self);
        }
        // Dropped without the lock: a waker may be the last to hold a task, and the source holds
        // code of the user.
        drop((rest, waker));
    }

    /// Ends the body if it is to end by now, though nobody polls it.
    fn end_unread(&self) {
        if let Some(mut state) = self.try_state()
            && state.missed > 1
        {
            let waker = state.waker.clone();
            let waker = waker.as_ref().unwrap_or(Waker::noop());
            if state.is_finishing || state.is_over(&mut Context::from_waker(waker)) {
                let rest = state.take();
                drop(state);
                drop(rest);
            }
        }
    }

    /// Locks the state, unless it is in use: then the body is being polled.
    fn try_state(&self) -> Option<MutexGuard<'_, State>> {
        match self.state.try_lock() {
            Ok(state) => Some(state),
            Err(TryLockError::Poisoned(state)) => Some(state.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

impl State {
    pub(super) fn set_keep_alive(&mut self, interval: Option<Duration>) {
        self.keep_alive = interval.map_or(0, ticks);
    }

    pub(super) fn set_send_timeout(&mut self, timeout: Option<Duration>) {
        self.send_timeout = timeout.map_or(0, ticks);
    }

    pub(super) fn forget_place(&mut self) {
        if let Some(Extra {
            opening: Some(opening),
            ..
        }) = self.extra.as_deref_mut()
        {
            opening.id = None;
        }
    }

    pub(super) fn set_reconnect(&mut self, reconnect: Option<Reconnect>) {
        if let Some(reconnect) = reconnect {
            self.extra.get_or_insert_default().reconnect = Some(reconnect);
        }
    }

    pub(super) fn end_when(&mut self, end: Pin<Box<dyn Future<Output = ()> + Send + Sync>>) {
        self.extra.get_or_insert_default().until.push(end);
    }

    fn reconnect(&self) -> Option<&Reconnect> {
        self.extra.as_ref()?.reconnect.as_ref()
    }

    /// Returns `true` if something may end it, or has ended it except for what is pending.
    fn may_end(&self) -> bool {
        let extra = self.extra.as_deref();
        self.is_finishing || extra.is_some_and(|extra| !extra.until.is_empty())
    }

    /// Takes the first bytes, and frees their memory if nothing else is in there.
    fn take_opening(&mut self) -> Option<Opening> {
        let extra = self.extra.as_mut()?;
        let opening = extra.opening.take()?;
        if extra.until.is_empty() && extra.reconnect.is_none() {
            self.extra = None;
        }
        Some(opening)
    }

    /// Takes everything that has to be dropped without the lock.
    fn take(&mut self) -> impl Sized + use<> {
        (self.source.take(), self.extra.take())
    }

    /// Returns `true` if one of the futures that end the body is ready.
    fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        self.extra.as_mut().is_some_and(|extra| {
            let mut until = extra.until.iter_mut();
            until.any(|until| until.as_mut().poll(cx).is_ready())
        })
    }

    fn poll_source(&mut self, lease: &Arc<Lease>, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let is_over = !self.is_finishing && self.is_over(cx);
        let Some(source) = &mut self.source else {
            return Poll::Ready(None);
        };
        if is_over {
            source.as_mut().finish();
            self.is_finishing = true;
        }
        if let Poll::Ready(bytes) = source.as_mut().poll_next(cx) {
            // The silence begins with the next poll: messages in a row cost one look at the clock.
            self.silent_until = 0;
            return Poll::Ready(bytes);
        }
        self.follow_task(lease, cx.waker());
        self.poll_silence(lease)
    }

    /// Returns a comment when there has been silence for long enough. The silence then begins
    /// again.
    ///
    /// Traffic does not restart the timer. It fires too early once, which is cheaper than to
    /// restart it each time.
    fn poll_silence(&mut self, lease: &Arc<Lease>) -> Poll<Option<Bytes>> {
        let (Some(wake_task), Some(period)) = (&self.wake_task, self.period()) else {
            return Poll::Pending;
        };
        let now = wake_task.now();
        let timer = lease.due.load(Ordering::Relaxed);
        let mut next = now + period + 1;
        if self.keep_alive > 0 {
            let interval = u64::from(self.keep_alive);
            if self.silent_until == 0 {
                // One more, because this tick has begun already.
                self.silent_until = now + interval + 1;
            } else if now >= self.silent_until {
                // The timer that has fired runs again, most often for just the right time.
                let fits = timer > now && period == interval;
                self.silent_until = if fits { timer } else { 0 };
                return Poll::Ready(Some(Bytes::from_static(COMMENT)));
            }
            next = next.min(self.silent_until);
        }
        if timer == 0 || timer > next {
            wake_task.start_timer(next, Arc::clone(lease) as _);
        }
        Poll::Pending
    }

    /// Keeps the waker of the task that polls, and starts a timer on its runtime.
    fn follow_task(&mut self, lease: &Arc<Lease>, waker: &Waker) {
        if self.waker.as_ref().is_some_and(|own| own.will_wake(waker)) {
            return;
        }
        self.waker = Some(waker.clone());
        let Some(period) = self.period() else { return };
        let wake_task = WakeTask::current();
        if self.wake_task.as_ref().map(Arc::as_ptr) == wake_task.as_ref().map(Arc::as_ptr) {
            return;
        }
        if let Some(before) = &self.wake_task {
            before.stop_timer(lease.as_ref());
        }
        if let Some(wake_task) = &wake_task {
            self.missed = 0;
            self.silent_until = 0;
            wake_task.start_timer(wake_task.now() + period + 1, Arc::clone(lease) as _);
        }
        self.wake_task = wake_task;
    }

    /// Returns the ticks after which the timer fires again.
    fn period(&self) -> Option<u64> {
        let times = [self.keep_alive, self.send_timeout];
        let times = times.into_iter().filter(|ticks| *ticks > 0);
        times.min().map(u64::from)
    }
}

impl Timer for Lease {
    fn due(&self) -> &AtomicU64 {
        &self.due
    }

    fn fire(self: Arc<Self>, wake_task: &Arc<WakeTask>) {
        let now = wake_task.now();
        let Some(mut state) = self.try_state() else {
            wake_task.start_timer(now + TICKS_PER_SECOND, Arc::clone(&self) as _);
            return;
        };
        let is_here = |own: &Arc<WakeTask>| Arc::ptr_eq(own, wake_task);
        let (Some(period), true) = (
            state.period(),
            state.wake_task.as_ref().is_some_and(is_here),
        ) else {
            return;
        };
        if state.source.is_none() {
            return;
        }
        let idle = u64::from(state.missed) * period;
        let send_timeout = u64::from(state.send_timeout);
        state.missed = state.missed.saturating_add(1);
        if send_timeout > 0 && idle >= send_timeout {
            // The client takes nothing: its place is for others. Dropped in another task, because
            // the source holds code of the user.
            let rest = state.take();
            drop(state);
            tokio::spawn(async move { drop(rest) });
            return;
        }
        if state.missed > 1 && state.may_end() {
            // In another task: the futures are code of the user.
            let lease = Arc::clone(&self);
            tokio::spawn(async move { lease.end_unread() });
        }
        wake_task.start_timer(now + period, Arc::clone(&self) as _);
        let waker = state.waker.clone();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// Returns a time as ticks: at least one, because 0 is none, and no more than a clock can add.
fn ticks(time: Duration) -> u32 {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
    let millis = time.min(YEAR).as_millis();
    let ticks = millis.div_ceil(1_000 / u128::from(TICKS_PER_SECOND));
    u32::try_from(ticks.max(1)).unwrap_or(u32::MAX)
}
