//! The fan-out: messages in, readers out. It is the engine of [`Joe`](crate::Joe), and of any other
//! provider that delivers in this process.
//!
//! To write a provider on it, keep one [`Fanout`]. To publish, [lock](Fanout::lock) it, find out
//! the message's bytes and the position of the history after it, and
//! [publish](FanoutGuard::publish). To subscribe, [listen](Fanout::listen) and make a stream that
//! calls [`Listener::poll_read`]; a client that resumes reads the history first, and
//! [joins](Listener::join) when it has reached the position of the fan-out.

mod bounds;
mod guard;
mod listener;
mod queue;
mod registry;
mod topic_queue;
mod wakers;

use std::{fmt, sync::Arc};

use bytes::Bytes;

pub use self::{bounds::Bounds, guard::FanoutGuard, listener::Listener};
use self::{bounds::Budget, registry::Registry};
use crate::{
    error::{ProviderClosed, SubscribeError},
    replay::Position,
    sync::{AtomicBool, AtomicU64, AtomicUsize, Mutex, MutexGuard, Ordering, lock},
    topics::Topics,
};

/// Hands encoded messages to the listeners of their topics.
///
/// Each topic has one queue; a [`Listener`] is a cursor into those of its topics. Publishing
/// appends once per topic, however many listen, and a listener takes everything that is pending for
/// it in one piece. A queue holds what its slowest listener has not read, within [`Bounds`]; a
/// listener that is further behind is told so and can catch up from a history.
///
/// The publisher wakes a few listeners itself and leaves many to one task per tokio runtime, so
/// that publishing to a million takes as long as publishing to a hundred. Listeners outside of a
/// runtime are all woken by the publisher.
///
/// ```
/// use std::task::{Context, Poll, Waker};
/// use sse_core::{
///     Message, Topics,
///     fanout::{Bounds, Fanout, Read},
/// };
///
/// let fanout = Fanout::new(Bounds::default());
/// let news = Topics::from("news");
/// let (mut listener, _) = fanout.listen(&news, None)?;
/// let bytes = Message::data("hello").to_bytes();
/// let guard = fanout.lock()?;
/// let position = guard.position().next();
/// guard.publish(&news, &bytes, position);
///
/// let mut cx = Context::from_waker(Waker::noop());
/// assert_eq!(listener.poll_read(&mut cx), Poll::Ready(Read::Bytes(bytes, position)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Fanout {
    core: Arc<Core>,
}

/// The result of a [read](Listener::poll_read).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// Everything pending, and the position in the history after it.
    Bytes(Bytes, Position),
    /// The same, after messages that were dropped before this listener had read them, where
    /// [readers skip](Bounds::skips). With several topics it comes with each piece until the
    /// newest lost message lies behind the listener.
    Skipped(Bytes, Position),
    /// Messages were dropped before this listener had read them. It has left; it may
    /// [join](Listener::join) again once it has them from elsewhere.
    Overflow,
    /// The fan-out is closed and everything has been read.
    Closed,
}

/// The state that a fan-out shares with its listeners.
#[derive(Debug)]
struct Core {
    bounds: Bounds,
    budget: Budget,
    subscribers: AtomicUsize,
    /// The number of the newest message; 1 before the first. It is stored while the queues of the
    /// message are locked. So a reader that sees it finds everything up to it in the queues, and
    /// the holder of a queue's lock sees the numbers of all that is in there.
    newest: AtomicU64,
    /// The position of the history after that message. Stored under the registry's lock.
    position: AtomicU64,
    closed: AtomicBool,
    /// The number of [probes](Fanout::probe).
    probes: AtomicU64,
    /// Locked to publish and to join: the order of these is the order of everything.
    registry: Mutex<Registry>,
}

impl Fanout {
    /// Creates a fan-out with these bounds.
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

    /// Locks the fan-out to publish the next message. Fails once it is closed.
    pub fn lock(&self) -> Result<FanoutGuard<'_>, ProviderClosed> {
        let registry = self.core.registry();
        self.core.check_open()?;
        Ok(FanoutGuard {
            core: &self.core,
            registry,
        })
    }

    /// Adds a listener. It has [joined](Listener::join) if it misses nothing: if there is no
    /// position that it is to begin after, or the history has not got further.
    ///
    /// Returns the listener and the position of the history.
    pub fn listen(
        &self,
        topics: &Topics,
        after: Option<Position>,
    ) -> Result<(Listener, Position), SubscribeError> {
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
            listener.attach();
        }
        Ok((listener, position))
    }

    /// Refuses a subscription that comes too late: the fan-out is closed.
    pub fn check_open(&self) -> Result<(), ProviderClosed> {
        self.core.check_open()
    }

    /// Wakes all listeners without anything to read, so that their readers can find out which
    /// clients have left.
    pub fn probe(&self) {
        if let Ok(guard) = self.lock() {
            self.core.probes.fetch_add(1, Ordering::Relaxed);
            guard.wake_all();
        }
    }

    /// Returns the number of [probes](Self::probe).
    pub fn probes(&self) -> u64 {
        self.core.probes.load(Ordering::Relaxed)
    }

    /// Lets every listener read to the end and nobody in. Only the first call succeeds.
    pub fn close(&self) -> Result<(), ProviderClosed> {
        let guard = self.lock()?;
        self.core.closed.store(true, Ordering::Release);
        guard.wake_all();
        Ok(())
    }

    /// Returns the position of the history after the newest published message. Messages that are
    /// stored beyond it have not been delivered yet.
    pub fn position(&self) -> Position {
        self.core.position()
    }

    /// Returns `true` once the fan-out is closed.
    pub fn is_closed(&self) -> bool {
        self.core.closed.load(Ordering::Acquire)
    }

    /// Returns the bounds.
    pub fn bounds(&self) -> &Bounds {
        &self.core.bounds
    }

    /// Returns the number of listeners.
    pub fn subscribers(&self) -> usize {
        self.core.subscribers.load(Ordering::Relaxed)
    }

    /// Returns the number of bytes in all queues.
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
