//! `Bounds`: the most that a fan-out may hold.

use crate::sync::{AtomicUsize, Ordering};

/// The bounds of a [`Fanout`](crate::fanout::Fanout).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The most messages of a topic that a reader may fall behind; at least 1, by default 4,096.
    pub queue_messages: usize,
    /// The most bytes of a topic that a reader may fall behind, besides the newest message; by
    /// default 1 MiB. A message counts with [`MESSAGE_OVERHEAD`](Self::MESSAGE_OVERHEAD).
    pub queue_bytes: usize,
    /// The most bytes in all queues together, besides the newest message of each; by default
    /// 256 MiB.
    ///
    /// When it is reached, the oldest messages go, of whatever topic: the slowest readers pay.
    pub total_bytes: usize,
    /// The most subscribers; by default as many as there is memory for.
    pub subscribers: usize,
    /// A reader that overflows goes on with the oldest message that is left, which
    /// [`Read::Skipped`](crate::fanout::Read::Skipped) tells. By default it does not, and has
    /// [overflowed](crate::fanout::Read::Overflow).
    ///
    /// A queue then stays as long as its bounds allow while somebody does not read.
    pub skips: bool,
}

impl Bounds {
    /// The bytes that a queued message takes besides its own.
    pub const MESSAGE_OVERHEAD: usize = 96;
}

/// Enough for a burst while a client's network hiccups, little enough for thousands of queues.
impl Default for Bounds {
    fn default() -> Self {
        Self {
            queue_messages: 4_096,
            queue_bytes: 1 << 20,
            total_bytes: 256 << 20,
            subscribers: usize::MAX,
            skips: false,
        }
    }
}

/// The bytes in all queues together.
#[derive(Debug)]
pub(super) struct Budget {
    most: usize,
    used: AtomicUsize,
}

impl Budget {
    /// The part of the budget that is freed at once when it is exceeded, as a divisor, so that the
    /// next message does not exceed it again.
    const SLACK: usize = 32;

    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            used: AtomicUsize::new(0),
        }
    }

    pub(super) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    pub(super) fn take(&self, bytes: usize) {
        self.used.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn give_back(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }

    pub(super) fn is_exceeded(&self) -> bool {
        self.used() > self.most
    }

    /// Returns `true` if enough has been freed after the budget was exceeded.
    pub(super) fn is_relieved(&self) -> bool {
        self.used() <= self.most - self.most / Self::SLACK
    }
}
