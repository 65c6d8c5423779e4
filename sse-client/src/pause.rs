//! Pauses of a task that always finds more to do.

use std::task::{Context, Poll};

/// The events and chunks in a row after which a poll returns without a result.
const MOST: u32 = 128;

/// Lets other tasks, and the timer around this one, have their turn: a stream that always has more
/// would otherwise hold its thread for ever, and a `timeout` around it would never be looked at.
#[derive(Debug, Default)]
pub(crate) struct Pause {
    /// The events and chunks since the last pause.
    row: u32,
}

impl Pause {
    /// Counts an event or a chunk. Pending when it is time for a pause: the task is woken at once.
    #[inline]
    pub(crate) fn poll_proceed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.row < MOST {
            self.row += 1;
            return Poll::Ready(());
        }
        self.row = 0;
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Begins to count again: there is nothing to do, which is a pause, too.
    #[inline]
    pub(crate) fn reset(&mut self) {
        self.row = 0;
    }
}
