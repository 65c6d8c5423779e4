//! `Listener`: a subscriber's side of a fan-out.

use std::{
    fmt,
    num::{NonZeroU64, NonZeroUsize},
    sync::Arc,
    task::{Context, Poll, Waker},
};

use smallvec::SmallVec;

use super::{
    Core, Read,
    queue::Overflowed,
    registry::Registry,
    topic_queue::{Registration, TopicQueue},
};
use crate::{
    error::ProviderClosed,
    join::join,
    replay::{PageBuilder, Position},
    sync::Ordering,
    topics::Topics,
    wake::WakeTask,
};

/// One subscriber of a [`Fanout`](super::Fanout): a cursor into the queues of its topics.
///
/// It listens from the moment it has joined until it is dropped or has overflowed. While it
/// has not joined, nothing is queued for it. Dropping it unsubscribes.
#[must_use = "dropping a listener unsubscribes it"]
pub struct Listener {
    core: Arc<Core>,
    topics: Topics,
    /// The queues of the topics, in their order, or the one without a topic if there are none. Most
    /// listeners have one.
    queues: SmallVec<[QueueHandle; 1]>,
    /// The number up to which everything has been read. `None` while it has not joined.
    cursor: Option<NonZeroU64>,
    /// The task that polled last.
    task: Option<TaskId>,
    /// The wake task of the runtime on which that task runs.
    wake_task: Option<Arc<WakeTask>>,
}

/// A topic's queue, and the listener's waker in it.
struct QueueHandle {
    queue: Arc<TopicQueue>,
    registration: Option<Registration>,
}

/// The identity of a task: the addresses in its waker. They are only compared. As long as a
/// registration holds, the waker lives in it, and no other task has its addresses.
#[derive(Clone, Copy, PartialEq, Eq)]
struct TaskId {
    data: usize,
    vtable: NonZeroUsize,
}

impl Listener {
    /// Creates a listener that has not joined.
    pub(super) fn new(core: &Arc<Core>, topics: &Topics, registry: &mut Registry) -> Self {
        let mut queues = SmallVec::new();
        let names = topics.shared().iter().map(|topic| {
            let (name, queue) = registry.acquire(topic);
            queues.push(QueueHandle {
                queue,
                registration: None,
            });
            name
        });
        let topics: Topics = names.collect();
        if topics.is_empty() {
            queues.push(QueueHandle {
                queue: registry.without_topic(),
                registration: None,
            });
        }
        Self {
            core: Arc::clone(core),
            topics,
            queues,
            cursor: None,
            task: None,
            wake_task: None,
        }
    }

    /// Returns the topics.
    pub fn topics(&self) -> &Topics {
        &self.topics
    }

    /// Returns `true` while it listens. If it does not, nothing is queued for it.
    pub fn has_joined(&self) -> bool {
        self.cursor.is_some()
    }

    /// Begins to listen, unless something was published that it does not have.
    ///
    /// `after` is the position in the history up to which it has everything. Returns `true` if it
    /// has joined. Fails if it misses nothing and the fan-out is closed.
    pub fn join(&mut self, after: Position) -> Result<bool, ProviderClosed> {
        let core = Arc::clone(&self.core);
        let _registry = core.registry();
        if after < core.position() {
            return Ok(false);
        }
        core.check_open()?;
        self.attach();
        Ok(true)
    }

    /// Attaches to the queues. The caller holds the registry's lock, so that nothing is published
    /// meanwhile.
    pub(super) fn attach(&mut self) {
        self.detach();
        self.cursor = NonZeroU64::new(self.core.newest.load(Ordering::Relaxed));
        for handle in &self.queues {
            handle.queue.state().queue.attach();
        }
    }

    /// Takes all pending messages in one piece, up to 64 KiB or one message, or keeps the waker.
    ///
    /// A listener that has not joined, or that has left, is told of an [overflow](Read::Overflow).
    pub fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Read> {
        let task = TaskId::of(cx.waker());
        if self.task != task {
            self.unregister();
            self.wake_task = WakeTask::current();
            self.task = task;
        }
        let mut read = self.take(cx.waker());
        if read.is_none() && self.register(cx.waker()) {
            // Messages that were published before the waker was kept have not woken it.
            read = self.take(cx.waker());
        }
        match read {
            Some(Read::Overflow) => self.detach(),
            Some(_) => {}
            None => return Poll::Pending,
        }
        read.map_or(Poll::Pending, Poll::Ready)
    }

    fn take(&mut self, waker: &Waker) -> Option<Read> {
        let Some(from) = self.cursor else {
            return Some(Read::Overflow);
        };
        // In this order: a message may still follow while it is not closed, and the queues hold
        // everything up to the newest.
        let is_closed = self.core.closed.load(Ordering::Acquire);
        let until = NonZeroU64::new(self.core.newest.load(Ordering::Acquire))?;
        let mut pending = self
            .queues
            .iter_mut()
            .filter(|handle| until > from && handle.queue.may_have_after(from));
        match (pending.next(), pending.next()) {
            (None, _) => is_closed.then_some(Read::Closed),
            (
                Some(QueueHandle {
                    queue,
                    registration,
                }),
                None,
            ) => {
                let mut state = queue.state();
                let (read, to) = state.queue.take(from, until, &self.core.budget)?;
                self.cursor = Some(to);
                if to == until {
                    // Most likely it waits next: one lock for both.
                    queue.register(&mut state, registration, waker, self.wake_task.as_ref());
                }
                Some(read)
            }
            (Some(_), Some(_)) => self.merge(from, until).unwrap_or(Some(Read::Overflow)),
        }
    }

    /// Takes the messages of several topics in order, and each once.
    fn merge(&mut self, from: NonZeroU64, until: NonZeroU64) -> Result<Option<Read>, Overflowed> {
        let mut page = PageBuilder::default();
        let mut has_skipped = false;
        for handle in &self.queues {
            if handle.queue.may_have_after(from) {
                let queue = &handle.queue.state().queue;
                has_skipped |= queue.has_lost_after(from);
                let pending = queue.pending(from, until)?;
                page.take(pending.map(|entry| (entry.number, entry.clone())));
            }
        }
        let (found, to) = page.into_messages(until);
        let Some((_, last)) = found.last() else {
            return Ok(None);
        };
        let position = last.position;
        let bytes = join(found.iter().map(|(_, entry)| &entry.bytes));
        let mut has_overflowed = false;
        for handle in &self.queues {
            if handle.queue.may_have_after(from) {
                let queue = &mut handle.queue.state().queue;
                has_overflowed |= queue.advance(from, to, &self.core.budget);
            }
        }
        self.cursor = Some(to);
        if has_overflowed {
            // It has this much. It has to get what follows from elsewhere.
            self.detach();
        }
        // Told with each piece until the loss lies behind it, because more may be lost in between.
        if has_skipped {
            return Ok(Some(Read::Skipped(bytes, position)));
        }
        Ok(Some(Read::Bytes(bytes, position)))
    }

    /// Keeps the waker in every queue. Returns `true` if it was new to at least one.
    fn register(&mut self, waker: &Waker) -> bool {
        let mut is_new = false;
        for QueueHandle {
            queue,
            registration,
        } in &mut self.queues
        {
            if registration.is_none_or(|registration| !queue.holds(registration)) {
                let state = &mut queue.state();
                queue.register(state, registration, waker, self.wake_task.as_ref());
                is_new = true;
            }
        }
        is_new
    }

    /// Removes the wakers from the queues. They are dropped without a lock: a waker may be the last
    /// to hold a task, and the task another listener.
    fn unregister(&mut self) {
        for handle in &mut self.queues {
            if let Some(registration) = handle.registration.take() {
                drop(handle.queue.unregister(registration));
            }
        }
    }

    /// Detaches from the queues.
    fn detach(&mut self) {
        self.unregister();
        if let Some(cursor) = self.cursor.take() {
            for handle in &self.queues {
                handle.queue.state().queue.detach(cursor, &self.core.budget);
            }
        }
    }
}

impl TaskId {
    fn of(waker: &Waker) -> Option<Self> {
        let vtable = NonZeroUsize::new(std::ptr::from_ref(waker.vtable()).addr())?;
        let data = waker.data().addr();
        Some(Self { data, vtable })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.detach();
        let mut registry = self.core.registry();
        for topic in self.topics.iter() {
            registry.release(topic);
        }
        drop(registry);
        self.core.subscribers.fetch_sub(1, Ordering::Relaxed);
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener")
            .field("topics", &self.topics)
            .field("cursor", &self.cursor)
            .finish_non_exhaustive()
    }
}
