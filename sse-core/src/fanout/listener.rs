//! One subscriber's side of a fan-out.

use std::{
    fmt,
    num::{NonZeroU64, NonZeroUsize},
    sync::Arc,
    task::{Context, Poll, Waker},
};

use smallvec::SmallVec;

use super::{
    Core, Read,
    channel::{Channel, Registration},
    queue::Overflowed,
    registry::Registry,
};
use crate::{
    attendant::Attendant,
    error::ProviderClosed,
    join::join,
    replay::{PageBuilder, Position},
    sync::Ordering,
    topics::Topics,
};

/// One subscriber of a [`Fanout`](super::Fanout): a cursor into the queues of its topics.
///
/// It listens from the moment it has joined until it is dropped or has overflowed. While it
/// has not joined, nothing is queued for it. Dropping it unsubscribes.
#[must_use = "dropping a listener unsubscribes it"]
pub struct Listener {
    core: Arc<Core>,
    topics: Topics,
    /// In the order of the topics; a seat without a topic if there are none. One topic is the rule.
    seats: SmallVec<[Seat; 1]>,
    /// Everything up to this number has been read. `None` while it has not joined.
    cursor: Option<NonZeroU64>,
    task: Option<Task>,
    /// Of the runtime on which the task is polled.
    attendant: Option<Arc<Attendant>>,
}

struct Seat {
    channel: Arc<Channel>,
    registration: Option<Registration>,
}

/// The task that polls, as the addresses in its waker. Only compared: as long as a registration
/// holds, the waker lives in it and nobody else has its addresses.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Task {
    data: usize,
    vtable: NonZeroUsize,
}

impl Listener {
    /// A listener that has not joined. Its seats are given back when it is dropped.
    pub(super) fn new(core: &Arc<Core>, topics: &Topics, registry: &mut Registry) -> Self {
        let mut seats = SmallVec::new();
        let names = topics.shared().iter().map(|topic| {
            let (name, channel) = registry.enter(topic);
            seats.push(Seat {
                channel,
                registration: None,
            });
            name
        });
        let topics: Topics = names.collect();
        if topics.is_empty() {
            seats.push(Seat {
                channel: registry.without_topic(),
                registration: None,
            });
        }
        Self {
            core: Arc::clone(core),
            topics,
            seats,
            cursor: None,
            task: None,
            attendant: None,
        }
    }

    /// The topics it listens to.
    pub fn topics(&self) -> &Topics {
        &self.topics
    }

    /// Whether it listens. If not, nothing is queued for it.
    pub fn has_joined(&self) -> bool {
        self.cursor.is_some()
    }

    /// Joins, unless it misses something: if it has everything up to where the history is now.
    ///
    /// Returns whether it has joined. An error says that the fan-out is closed and nothing is missed.
    pub fn join(&mut self, after: Position) -> Result<bool, ProviderClosed> {
        let core = Arc::clone(&self.core);
        let _registry = core.registry();
        if after < core.position() {
            return Ok(false);
        }
        core.check_open()?;
        self.enter();
        Ok(true)
    }

    /// Under the registry's lock, so that nothing is published meanwhile.
    pub(super) fn enter(&mut self) {
        self.leave();
        self.cursor = NonZeroU64::new(self.core.newest.load(Ordering::Relaxed));
        for seat in &self.seats {
            seat.channel.state().queue.enter();
        }
    }

    /// Everything that is pending, in one piece; or the waker is kept.
    ///
    /// One that has not joined, or no longer has, is told of an [overflow](Read::Overflow).
    pub fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Read> {
        let task = Task::of(cx.waker());
        if self.task != task {
            self.unregister();
            self.attendant = Attendant::current();
            self.task = task;
        }
        let mut read = self.take(cx.waker());
        if read.is_none() && self.register(cx.waker()) {
            // What was published before the waker was kept has not woken it.
            read = self.take(cx.waker());
        }
        match read {
            Some(Read::Overflow) => self.leave(),
            Some(_) => {}
            None => return Poll::Pending,
        }
        read.map_or(Poll::Pending, Poll::Ready)
    }

    fn take(&mut self, waker: &Waker) -> Option<Read> {
        let Some(from) = self.cursor else {
            return Some(Read::Overflow);
        };
        // In this order: what is not closed yet may still be followed by a message, and the
        // channels hold everything up to the newest.
        let is_closed = self.core.closed.load(Ordering::Acquire);
        let until = NonZeroU64::new(self.core.newest.load(Ordering::Acquire))?;
        let mut pending = self
            .seats
            .iter_mut()
            .filter(|seat| until > from && seat.channel.may_have_after(from));
        match (pending.next(), pending.next()) {
            (None, _) => is_closed.then_some(Read::Closed),
            (
                Some(Seat {
                    channel,
                    registration,
                }),
                None,
            ) => {
                let mut state = channel.state();
                let (read, to) = state.queue.take(from, until, &self.core.budget)?;
                self.cursor = Some(to);
                if to == until {
                    // It will wait next, most likely: one lock for both.
                    channel.register(&mut state, registration, waker, self.attendant.as_ref());
                }
                Some(read)
            }
            (Some(_), Some(_)) => self.merge(from, until).unwrap_or(Some(Read::Overflow)),
        }
    }

    /// Takes from several topics, in order, and once what is in several.
    fn merge(&mut self, from: NonZeroU64, until: NonZeroU64) -> Result<Option<Read>, Overflowed> {
        let mut page = PageBuilder::default();
        let mut has_skipped = false;
        for seat in &self.seats {
            if seat.channel.may_have_after(from) {
                let queue = &seat.channel.state().queue;
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
        for seat in &self.seats {
            if seat.channel.may_have_after(from) {
                let queue = &mut seat.channel.state().queue;
                has_overflowed |= queue.advance(from, to, &self.core.budget);
            }
        }
        self.cursor = Some(to);
        if has_overflowed {
            // It has this much; what follows it has to get from elsewhere.
            self.leave();
        }
        // Told with each piece until the loss lies behind it: more may be lost in between.
        if has_skipped {
            return Ok(Some(Read::Skipped(bytes, position)));
        }
        Ok(Some(Read::Bytes(bytes, position)))
    }

    /// Keeps the waker with every channel. Returns whether there was one to which it was new.
    fn register(&mut self, waker: &Waker) -> bool {
        let mut is_new = false;
        for Seat {
            channel,
            registration,
        } in &mut self.seats
        {
            if registration.is_none_or(|registration| !channel.holds(registration)) {
                let state = &mut channel.state();
                channel.register(state, registration, waker, self.attendant.as_ref());
                is_new = true;
            }
        }
        is_new
    }

    /// Takes the wakers back. They are dropped without a lock: a waker may be the last to hold a task, and
    /// the task another listener.
    fn unregister(&mut self) {
        for seat in &mut self.seats {
            if let Some(registration) = seat.registration.take() {
                drop(seat.channel.unregister(registration));
            }
        }
    }

    /// Gives its places in the queues back.
    fn leave(&mut self) {
        self.unregister();
        if let Some(cursor) = self.cursor.take() {
            for seat in &self.seats {
                seat.channel.state().queue.leave(cursor, &self.core.budget);
            }
        }
    }
}

impl Task {
    fn of(waker: &Waker) -> Option<Self> {
        let vtable = NonZeroUsize::new(std::ptr::from_ref(waker.vtable()).addr())?;
        let data = waker.data().addr();
        Some(Self { data, vtable })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.leave();
        let mut registry = self.core.registry();
        for topic in self.topics.iter() {
            registry.leave(topic);
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
