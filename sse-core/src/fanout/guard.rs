//! `FanoutGuard`: the right to publish the next message.

use std::{fmt, num::NonZeroU64};

use bytes::Bytes;
use smallvec::SmallVec;

use super::{
    Core,
    registry::Registry,
    topic_queue::{TopicGuard, TopicQueue},
    wakers::Wakeups,
};
use crate::{
    replay::Position,
    sync::{MutexGuard, Ordering},
    topics::Topics,
};

/// A [`Fanout`](super::Fanout) whose lock is held, and which is open.
///
/// Nobody else publishes, and no listener joins or leaves. A message that is stored now is the next
/// one that is delivered, so a history has the order of delivery. Dropping the guard publishes
/// nothing.
#[must_use = "the lock is released when the guard is dropped"]
pub struct FanoutGuard<'a> {
    pub(super) core: &'a Core,
    pub(super) registry: MutexGuard<'a, Registry>,
}

impl FanoutGuard<'_> {
    /// Returns the position of the history after the newest message: see
    /// [`Fanout::position`](super::Fanout::position).
    pub fn position(&self) -> Position {
        self.core.position()
    }

    /// Appends a message to the queues of its topics, releases the lock, and wakes the listeners
    /// that wait there.
    ///
    /// `position` is that of the history after the message. Nobody listens to no topics; the
    /// position counts all the same.
    pub fn publish(self, topics: &Topics, bytes: &Bytes, position: Position) {
        let Self { core, registry } = self;
        let number = NonZeroU64::MIN.saturating_add(core.newest.load(Ordering::Relaxed));
        // Only publishers hold several of these locks, one publisher at a time.
        let queues = topics.iter().filter_map(|topic| registry.queue(topic));
        let mut guards: SmallVec<[TopicGuard<'_>; 1]> = queues.map(TopicQueue::lock).collect();
        for queue in &mut guards {
            queue.push(number, bytes, position, &core.bounds, &core.budget);
        }
        core.position.store(position.0, Ordering::Release);
        core.newest.store(number.get(), Ordering::Release);
        let mut wakeups = Wakeups::default();
        for queue in &mut guards {
            queue.take_wakers(&mut wakeups);
        }
        drop(guards);
        if core.budget.is_exceeded() {
            registry.relieve(&core.budget);
        }
        drop(registry);
        wakeups.wake();
    }

    /// Releases the lock, and wakes all listeners that wait.
    pub(super) fn wake_all(self) {
        let mut wakeups = Wakeups::default();
        for queue in self.registry.queues() {
            queue.lock().take_wakers(&mut wakeups);
        }
        drop(self.registry);
        wakeups.wake();
    }
}

impl fmt::Debug for FanoutGuard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FanoutGuard")
            .field("position", &self.position())
            .finish_non_exhaustive()
    }
}
