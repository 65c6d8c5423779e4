//! Events to functions, as in go-sse.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use sse_wire::EventType;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::Event;

/// Acts on an [`EventSource`](crate::EventSource) from anywhere, also from inside its callbacks. Cheap to clone.
///
/// Callbacks are called in the order in which they were added, by whatever polls the source, before the event is given to it: a
/// callback that blocks holds the stream up.
#[derive(Clone)]
pub struct Handle {
    callbacks: Arc<Mutex<Callbacks>>,
    closed: CancellationToken,
}

/// A function that is called with events, until [`unsubscribe`](Self::unsubscribe). Dropping this changes nothing.
///
/// Holds on to nothing, so the function may own it and unsubscribe itself.
#[derive(Clone, Debug)]
pub struct Callback {
    entry: Weak<Entry>,
    callbacks: Weak<Mutex<Callbacks>>,
}

#[derive(Debug, Default)]
struct Callbacks {
    /// Changed as a copy while it is being called through, so that an event costs none.
    entries: Arc<Vec<Arc<Entry>>>,
    /// The source has ended: whoever is added now would only be kept.
    ended: bool,
}

type Function = Box<dyn FnMut(&Event) + Send>;

struct Entry {
    /// The type of events it is called with; nothing is all.
    event: Option<String>,
    active: AtomicBool,
    function: Mutex<Function>,
}

impl Handle {
    /// Calls a function with each event that has no type of its own, or the type `message`.
    pub fn on_message(&self, function: impl FnMut(&Event) + Send + 'static) -> Callback {
        self.on_event(EventType::MESSAGE, function)
    }

    /// Calls a function with each event of a type.
    pub fn on_event(
        &self,
        event: impl Into<String>,
        function: impl FnMut(&Event) + Send + 'static,
    ) -> Callback {
        self.add(Some(event.into()), Box::new(function))
    }

    /// Calls a function with each event.
    pub fn on_any(&self, function: impl FnMut(&Event) + Send + 'static) -> Callback {
        self.add(None, Box::new(function))
    }

    /// Ends the connection and the source, which then tells [`Closed::ByClient`](crate::Closed::ByClient). No
    /// event follows but the one whose callback calls this.
    pub fn close(&self) {
        self.closed.cancel();
    }

    pub(super) fn new() -> Self {
        Self {
            callbacks: Arc::default(),
            closed: CancellationToken::new(),
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.is_cancelled()
    }

    /// Ready once [`close`](Self::close) has been called.
    pub(super) fn closed(&self) -> WaitForCancellationFutureOwned {
        self.closed.clone().cancelled_owned()
    }

    /// Calls everyone whom the event concerns. The list is not locked meanwhile, so that it can be changed by them.
    pub(super) fn call(&self, event: &Event) {
        let entries = Arc::clone(&lock(&self.callbacks).entries);
        for entry in entries.iter() {
            let concerned = entry
                .event
                .as_deref()
                .is_none_or(|kind| kind == event.event);
            if concerned && entry.active.load(Ordering::Acquire) && !self.is_closed() {
                lock(&entry.function)(event);
            }
        }
    }

    /// Lets go of all functions, and of those to come: they may own handles of the source that has ended.
    pub(super) fn end(&self) {
        let ended = Callbacks {
            entries: Arc::default(),
            ended: true,
        };
        let callbacks = std::mem::replace(&mut *lock(&self.callbacks), ended);
        drop(callbacks);
    }

    fn add(&self, event: Option<String>, function: Function) -> Callback {
        let entry = Arc::new(Entry {
            event,
            active: AtomicBool::new(true),
            function: Mutex::new(function),
        });
        let callback = Callback {
            entry: Arc::downgrade(&entry),
            callbacks: Arc::downgrade(&self.callbacks),
        };
        let mut callbacks = lock(&self.callbacks);
        if !callbacks.ended {
            Arc::make_mut(&mut callbacks.entries).push(entry);
        }
        callback
    }
}

impl Callback {
    /// The function is not called any more, not even with an event that others are just being called with.
    pub fn unsubscribe(&self) {
        let (Some(unwanted), Some(callbacks)) = (self.entry.upgrade(), self.callbacks.upgrade())
        else {
            return;
        };
        unwanted.active.store(false, Ordering::Release);
        Arc::make_mut(&mut lock(&callbacks).entries).retain(|entry| !Arc::ptr_eq(entry, &unwanted));
    }
}

/// A callback that panicked has poisoned nothing but itself.
fn lock<T: ?Sized>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("callbacks", &lock(&self.callbacks).entries.len())
            .field("closed", &self.is_closed())
            .finish()
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("event", &self.event)
            .field("active", &self.active)
            .finish_non_exhaustive()
    }
}
