//! `Fanout`: messages in, readers out; the part of a provider that is in this process.

mod bounds;
mod channel;
mod listener;
mod queue;
mod registry;
mod waiting;

use std::{fmt, num::NonZeroU64, sync::Arc};

use bytes::Bytes;
use smallvec::SmallVec;

pub use self::{bounds::Bounds, listener::Listener};
use self::{
    bounds::Budget,
    channel::{Channel, Locked},
    registry::Registry,
    waiting::Calls,
};
use crate::{
    error::{ProviderClosed, SubscribeError},
    replay::Position,
    sync::{AtomicBool, AtomicU64, AtomicUsize, Mutex, MutexGuard, Ordering, lock},
    topics::Topics,
};

/// Hands encoded messages to the listeners of their topics. [`Joe`](crate::Joe) stands on it, and any provider can.
///
/// Each topic has one queue; a [`Listener`] is a cursor into those of its topics. Publishing appends
/// once per topic, however many listen, and a listener takes everything that is pending for it in one piece.
/// A queue holds what its slowest listener has not read, within [`Bounds`]; one that is further behind is told so
/// and can catch up from a history.
///
/// A few listeners are woken by the publisher, a crowd by one task per tokio runtime, so that publishing to
/// a million takes as long as publishing to a hundred. Outside of a runtime the publisher wakes everyone itself.
///
/// ```
/// use std::{convert::Infallible, task::{Context, Poll, Waker}};
/// use sse_core::{
///     Message, Topics,
///     fanout::{Bounds, Fanout, Read},
///     provider::ProviderClosed,
///     replay::Position,
/// };
///
/// let fanout = Fanout::new(Bounds::default());
/// let (mut listener, _) = fanout.listen(&Topics::from("news"), None)?;
/// let bytes = Message::data("hello").to_bytes();
/// fanout.publish(&Topics::from("news"), |_| {
///     Ok::<_, ProviderClosed>((bytes.clone(), Position(1)))
/// })?;
///
/// let mut cx = Context::from_waker(Waker::noop());
/// assert_eq!(listener.poll_read(&mut cx), Poll::Ready(Read::Bytes(bytes, Position(1))));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Fanout {
    core: Arc<Core>,
}

/// What a [`Listener`] gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// Everything pending, and the position in the history after it.
    Bytes(Bytes, Position),
    /// The same, after messages that were dropped before this listener had read them: where
    /// [readers skip](Bounds::skips). With several topics it comes with each piece until the
    /// newest lost message lies behind the listener.
    Skipped(Bytes, Position),
    /// Messages were dropped before this listener had read them. It has left; it may
    /// [join](Listener::join) again once it has them from elsewhere.
    Overflow,
    /// The fan-out is closed and everything has been read.
    Closed,
}

/// What a fan-out and its listeners have in common.
#[derive(Debug)]
struct Core {
    bounds: Bounds,
    budget: Budget,
    subscribers: AtomicUsize,
    /// The number of the newest message; 1 before the first. Stored while the channels it went to are locked: who
    /// sees it finds everything up to it in the channels, and who holds a channel's lock sees the number of
    /// whatever is in there.
    newest: AtomicU64,
    /// Where the history is after that message. Stored under the registry's lock.
    position: AtomicU64,
    closed: AtomicBool,
    /// How often everyone was called to see who is still there.
    probes: AtomicU64,
    /// Held over publishing and over joining: their order is the order of everything.
    registry: Mutex<Registry>,
}

impl Fanout {
    /// A fan-out with these bounds.
    pub fn new(bounds: Bounds) -> Self {
        Self {
            core: Arc::new(Core {
                budget: Budget::new(bounds.total_bytes),
                registry: Mutex::new(Registry::new(bounds.skips)),
                bounds,
                subscribers: AtomicUsize::new(0),
                newest: AtomicU64::new(1),
                position: AtomicU64::new(0),
                closed: AtomicBool::new(false),
                probes: AtomicU64::new(0),
            }),
        }
    }

    /// Begins after a history that is already there; by default at position 0.
    #[must_use]
    pub fn starting_at(self, position: Position) -> Self {
        self.core.position.store(position.0, Ordering::Relaxed);
        self
    }

    /// Appends a message to the queues of its topics and wakes who waits there.
    ///
    /// `message` is given the [position](Self::position) before it, and gives its bytes and the position after it. It is called
    /// under the lock that orders publishing, so that the order in which it stores is the order of delivery. On its error nobody
    /// gets anything. To no topics nobody listens; `message` is called all the same.
    pub fn publish<E: From<ProviderClosed>>(
        &self,
        topics: &Topics,
        message: impl FnOnce(Position) -> Result<(Bytes, Position), E>,
    ) -> Result<(), E> {
        let core = self.core.as_ref();
        let registry = core.registry();
        core.check_open()?;
        let (bytes, position) = message(self.position())?;
        let number = NonZeroU64::MIN.saturating_add(core.newest.load(Ordering::Relaxed));
        // Only publishers hold several of these locks, one publisher at a time.
        let channels = topics.iter().filter_map(|topic| registry.channel(topic));
        let mut locked: SmallVec<[Locked<'_>; 1]> = channels.map(Channel::lock).collect();
        for channel in &mut locked {
            channel.push(number, &bytes, position, &core.bounds, &core.budget);
        }
        core.position.store(position.0, Ordering::Release);
        core.newest.store(number.get(), Ordering::Release);
        let mut calls = Calls::default();
        for channel in &mut locked {
            channel.call(&mut calls);
        }
        drop(locked);
        if core.budget.is_exceeded() {
            registry.relieve(&core.budget);
        }
        drop(registry);
        calls.make();
        Ok(())
    }

    /// Listens to topics, from now on if nothing is missed: without a position, or if it is where the history
    /// is. Otherwise once it has [joined](Listener::join). Returns the listener and where the history is.
    pub fn listen(
        &self,
        topics: &Topics,
        after: Option<Position>,
    ) -> Result<(Listener, Position), SubscribeError> {
        self.check_topics(topics)?;
        let mut registry = self.core.registry();
        self.core.check_open()?;
        let limit = self.core.bounds.subscribers;
        if self.subscribers() >= limit {
            return Err(SubscribeError::Full { limit });
        }
        let position = self.position();
        self.core.subscribers.fetch_add(1, Ordering::Relaxed);
        let mut listener = Listener::new(&self.core, topics, &mut registry);
        if after.is_none_or(|after| after >= position) {
            listener.enter();
        }
        Ok((listener, position))
    }

    /// Refuses a subscription that could not [listen](Self::listen) to so many topics, or that comes too late.
    pub fn check_topics(&self, topics: &Topics) -> Result<(), SubscribeError> {
        let (count, limit) = (topics.len(), self.core.bounds.topics);
        if count > limit {
            return Err(SubscribeError::TooManyTopics { count, limit });
        }
        Ok(self.core.check_open()?)
    }

    /// Wakes every listener without anything to read, so that whoever reads it can find out that its client has left.
    pub fn probe(&self) {
        let registry = self.core.registry();
        self.core.probes.fetch_add(1, Ordering::Relaxed);
        Self::call_all(registry);
    }

    /// How often everyone was [woken without anything to read](Self::probe).
    pub fn probes(&self) -> u64 {
        self.core.probes.load(Ordering::Relaxed)
    }

    /// Lets every listener read to the end and nobody in. Only the first call succeeds.
    pub fn close(&self) -> Result<(), ProviderClosed> {
        let registry = self.core.registry();
        self.core.check_open()?;
        self.core.closed.store(true, Ordering::Release);
        Self::call_all(registry);
        Ok(())
    }

    /// Wakes everyone who waits, without the lock.
    fn call_all(registry: MutexGuard<'_, Registry>) {
        let mut calls = Calls::default();
        for channel in registry.channels() {
            channel.lock().call(&mut calls);
        }
        drop(registry);
        calls.make();
    }

    /// Where the history is after the newest message that was published: what has been stored beyond it is not delivered yet.
    pub fn position(&self) -> Position {
        self.core.position()
    }

    /// Whether it is closed.
    pub fn is_closed(&self) -> bool {
        self.core.closed.load(Ordering::Acquire)
    }

    /// The bounds it was made with.
    pub fn bounds(&self) -> &Bounds {
        &self.core.bounds
    }

    /// How many listeners there are now.
    pub fn subscribers(&self) -> usize {
        self.core.subscribers.load(Ordering::Relaxed)
    }

    /// How many bytes are queued now.
    pub fn queued_bytes(&self) -> usize {
        self.core.budget.used()
    }
}

impl Core {
    fn registry(&self) -> MutexGuard<'_, Registry> {
        lock(&self.registry)
    }

    fn position(&self) -> Position {
        Position(self.position.load(Ordering::Acquire))
    }

    fn check_open(&self) -> Result<(), ProviderClosed> {
        if self.closed.load(Ordering::Acquire) {
            Err(ProviderClosed)
        } else {
            Ok(())
        }
    }
}

impl fmt::Debug for Fanout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fanout")
            .field("bounds", self.bounds())
            .field("subscribers", &self.subscribers())
            .field("queued_bytes", &self.queued_bytes())
            .finish()
    }
}
