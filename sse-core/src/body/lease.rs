//! `Lease`: a client's hold on its place, renewed by taking what there is.

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
    attendant::{Attendant, Sleeper, TICKS_PER_SECOND},
    resume::Outcome,
    subscriber::Deliveries,
    wire::COMMENT,
};

/// What a body sends, shared with the timer that takes it away from a client which takes nothing.
///
/// The framework polls only while it can write. So a client that does not read holds its place in the hub without
/// anybody looking at it, if not for the alarm: it goes off every keep-alive, wakes the framework, and
/// finds out whether it has polled since the last time.
pub(super) struct Lease {
    /// Of the alarm.
    due: AtomicU64,
    state: Mutex<State>,
}

/// In ticks of the [`Attendant`], where it is about time; 0 is none.
pub(super) struct State {
    /// `None` once the body has ended.
    source: Option<Pin<Box<dyn Deliveries>>>,
    /// `None` once nothing of it is left.
    extra: Option<Box<Extra>>,
    /// Of the task that polls.
    waker: Option<Waker>,
    /// Of the runtime on which that task runs.
    attendant: Option<Arc<Attendant>>,
    /// When the silence has lasted long enough for a keep-alive.
    silent_until: u64,
    keep_alive: u32,
    send_timeout: u32,
    /// How many alarms went off since it was last polled.
    missed: u32,
    pub(super) outcome: Outcome,
    /// It has been asked to end, and has not been polled to its end yet.
    is_finishing: bool,
    has_ended: bool,
}

/// What most bodies do without, once they have begun.
#[derive(Default)]
struct Extra {
    /// What comes first; `None` once it has been sent.
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
                attendant: None,
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
            state.attend(self, cx.waker());
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

    /// Ends the body for the hub, and drops what it would have sent.
    pub(super) fn end(&self) {
        let mut state = self.state();
        let attendant = state.attendant.take();
        let rest = state.take();
        let waker = state.waker.take();
        drop(state);
        if let Some(attendant) = attendant {
            attendant.clear(self);
        }
        // Without the lock: a waker may be the last to hold a task, and the source holds code of the user.
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

    /// The state, unless it is in use: then the body is being polled.
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

    /// Whether there is something that ends it, or has ended it already but for what is pending.
    fn may_end(&self) -> bool {
        let extra = self.extra.as_deref();
        self.is_finishing || extra.is_some_and(|extra| !extra.until.is_empty())
    }

    /// Takes what comes first, and gives back what nothing else is in.
    fn take_opening(&mut self) -> Option<Opening> {
        let extra = self.extra.as_mut()?;
        let opening = extra.opening.take()?;
        if extra.until.is_empty() && extra.reconnect.is_none() {
            self.extra = None;
        }
        Some(opening)
    }

    /// Takes everything out that has to be dropped without the lock.
    fn take(&mut self) -> impl Sized + use<> {
        (self.source.take(), self.extra.take())
    }

    /// Whether one of the futures is ready that end the body.
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
            // The silence begins anew, with the next poll: what is sent in a row costs one look at the clock.
            self.silent_until = 0;
            return Poll::Ready(bytes);
        }
        self.attend(lease, cx.waker());
        self.poll_silence(lease)
    }

    /// Ready with a comment when there has been silence for long enough; then the silence begins anew.
    ///
    /// Traffic does not move the alarm. It goes off too early once, which is cheaper than to move it each time.
    fn poll_silence(&mut self, lease: &Arc<Lease>) -> Poll<Option<Bytes>> {
        let (Some(attendant), Some(period)) = (&self.attendant, self.period()) else {
            return Poll::Pending;
        };
        let now = attendant.now();
        let alarm = lease.due.load(Ordering::Relaxed);
        let mut next = now + period + 1;
        if self.keep_alive > 0 {
            let interval = u64::from(self.keep_alive);
            if self.silent_until == 0 {
                // One more, because this tick has begun already.
                self.silent_until = now + interval + 1;
            } else if now >= self.silent_until {
                // The alarm that has called has been set anew, most often for just the right time.
                let fits = alarm > now && period == interval;
                self.silent_until = if fits { alarm } else { 0 };
                return Poll::Ready(Some(Bytes::from_static(COMMENT)));
            }
            next = next.min(self.silent_until);
        }
        if alarm == 0 || alarm > next {
            attendant.set(next, Arc::clone(lease) as _);
        }
        Poll::Pending
    }

    /// Keeps the waker of the task that polls, and has an alarm on its runtime.
    fn attend(&mut self, lease: &Arc<Lease>, waker: &Waker) {
        if self.waker.as_ref().is_some_and(|own| own.will_wake(waker)) {
            return;
        }
        self.waker = Some(waker.clone());
        let Some(period) = self.period() else { return };
        let attendant = Attendant::current();
        if self.attendant.as_ref().map(Arc::as_ptr) == attendant.as_ref().map(Arc::as_ptr) {
            return;
        }
        if let Some(before) = &self.attendant {
            before.clear(lease.as_ref());
        }
        if let Some(attendant) = &attendant {
            self.missed = 0;
            self.silent_until = 0;
            attendant.set(attendant.now() + period + 1, Arc::clone(lease) as _);
        }
        self.attendant = attendant;
    }

    /// From one alarm to the next.
    fn period(&self) -> Option<u64> {
        let times = [self.keep_alive, self.send_timeout];
        let times = times.into_iter().filter(|ticks| *ticks > 0);
        times.min().map(u64::from)
    }
}

impl Sleeper for Lease {
    fn due(&self) -> &AtomicU64 {
        &self.due
    }

    fn ring(self: Arc<Self>, attendant: &Arc<Attendant>) {
        let now = attendant.now();
        let Some(mut state) = self.try_state() else {
            attendant.set(now + TICKS_PER_SECOND, Arc::clone(&self) as _);
            return;
        };
        let is_here = |own: &Arc<Attendant>| Arc::ptr_eq(own, attendant);
        let (Some(period), true) = (
            state.period(),
            state.attendant.as_ref().is_some_and(is_here),
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
            // It takes nothing: its place is for others. On a task of its own, because what is dropped is the user's.
            let rest = state.take();
            drop(state);
            tokio::spawn(async move { drop(rest) });
            return;
        }
        if state.missed > 1 && state.may_end() {
            // On a task of its own: it is the user's.
            let lease = Arc::clone(&self);
            tokio::spawn(async move { lease.end_unread() });
        }
        attendant.set(now + period, Arc::clone(&self) as _);
        let waker = state.waker.clone();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// A time as ticks: at least one, so that it is not none, and no more than a clock can add.
fn ticks(time: Duration) -> u32 {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
    let millis = time.min(YEAR).as_millis();
    let ticks = millis.div_ceil(1_000 / u128::from(TICKS_PER_SECOND));
    u32::try_from(ticks.max(1)).unwrap_or(u32::MAX)
}
