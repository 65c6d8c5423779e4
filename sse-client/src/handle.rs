//! Functions that are called with events, as in go-sse.

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

/// A handle to an [`EventSource`](crate::EventSource): it calls functions with events and closes
/// the source, from anywhere, even from inside a callback. Cheap to clone.
///
/// Callbacks are called in the order in which they were added, by the task that polls the source,
/// before the event is returned from it. A callback that blocks holds the stream up.
#[derive(Clone)]
pub struct Handle {
    callbacks: Arc<Mutex<Callbacks>>,
    closed: CancellationToken,
}

/// A function that is called with events, until [`unsubscribe`](Self::unsubscribe). Dropping this
/// value changes nothing.
///
/// It keeps nothing alive, so the function may own it and unsubscribe itself.
#[derive(Clone, Debug)]
pub struct Callback {
    entry: Weak<Entry>,
    callbacks: Weak<Mutex<Callbacks>>,
}

#[derive(Debug, Default)]
struct Callbacks {
    /// Copied when it changes during a call, so that an event costs no copy.
    entries: Arc<Vec<Arc<Entry>>>,
    /// The source has ended: a function that is added now would never be called or dropped.
    ended: bool,
}

type Function = Box<dyn FnMut(&Event) + Send>;

struct Entry {
    /// The type of the events that it is called with, or `None` for all.
    event: Option<String>,
    active: AtomicBool,
    function: Mutex<Function>,
}

impl Handle {
    /// Calls a function with each event that has no type, or the type `message`.
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

    /// Ends the connection and the source, which then reports
    /// [`Closed::ByClient`](crate::Closed::ByClient). If a callback calls this, the source still
    /// returns the event that it was called with; no other event follows.
    pub fn close(&self) {
        self.closed.cancel();
    }

    pub(crate) fn new() -> Self {
        Self {
            callbacks: Arc::default(),
            closed: CancellationToken::new(),
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.is_cancelled()
    }

    /// Resolves once [`close`](Self::close) has been called.
    pub(crate) fn closed(&self) -> WaitForCancellationFutureOwned {
        self.closed.clone().cancelled_owned()
    }

    /// Calls the functions for this event. The list is not locked meanwhile, so they can change it.
    pub(crate) fn call(&self, event: &Event) {
        let entries = Arc::clone(&lock(&self.callbacks).entries);
        for entry in entries.iter() {
            let is_for_this = entry
                .event
                .as_deref()
                .is_none_or(|kind| kind == event.event);
            if is_for_this && entry.active.load(Ordering::Acquire) && !self.is_closed() {
                lock(&entry.function)(event);
            }
        }
    }

    /// Drops all functions, and from now on those that are added: they may own handles of the
    /// source that has ended.
    pub(crate) fn end(&self) {
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
    /// Stops the calls, even with an event that other functions are being called with right now.
    pub fn unsubscribe(&self) {
        let (Some(unwanted), Some(callbacks)) = (self.entry.upgrade(), self.callbacks.upgrade())
        else {
            return;
        };
        unwanted.active.store(false, Ordering::Release);
        Arc::make_mut(&mut lock(&callbacks).entries).retain(|entry| !Arc::ptr_eq(entry, &unwanted));
    }
}

/// Locks a mutex even if it is poisoned: a callback that panicked has harmed nothing but itself.
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
