//! Something to send when there is nothing to send.

use std::{
    task::{Context, Poll, Waker},
    time::Duration,
};

use tokio::time::Instant;

use crate::attendant::{Alarm, Attendant};

/// Comes due after a time of silence.
#[derive(Debug)]
pub(super) struct KeepAlive {
    interval: Duration,
    due: Option<Instant>,
    alarm: Option<Alarm>,
}

impl KeepAlive {
    /// No interval is so short that it makes a flood.
    const SHORTEST: Duration = Duration::from_millis(10);
    /// Nor so long that a clock cannot add it.
    const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

    pub(super) fn new(interval: Duration) -> Self {
        Self {
            interval: interval.clamp(Self::SHORTEST, Self::LONGEST),
            due: None,
            alarm: None,
        }
    }

    /// Something was sent: the silence begins anew.
    ///
    /// It is measured from the next poll, so that what is sent in a row costs one look at the clock. The alarm stays
    /// where it is. It goes off too early once, which is cheaper than to move it each time.
    pub(super) fn reset(&mut self) {
        self.due = None;
    }

    /// Ready when there has been silence for the interval; then the silence begins anew.
    pub(super) fn poll_due(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let now = Instant::now();
        let due = *self.due.get_or_insert(now + self.interval);
        if now >= due {
            self.reset();
            return Poll::Ready(());
        }
        self.set_alarm(due, now, cx.waker());
        Poll::Pending
    }

    fn set_alarm(&mut self, due: Instant, now: Instant, waker: &Waker) {
        let is_set = self
            .alarm
            .as_ref()
            .is_some_and(|alarm| alarm.is_set_for(waker, now));
        if !is_set {
            // The old one first: its place in the timer is free before another is taken.
            self.alarm = None;
            self.alarm = Attendant::current().map(|attendant| attendant.set(due, waker));
        }
    }
}
