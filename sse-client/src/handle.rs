//! Functions that are called with events, as in go-sse, and control over a source from elsewhere.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Waker},
};

use sse_wire::EventType;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::{Event, Open};

/// A handle to an [`EventSource`](crate::EventSource): it calls functions with events, closes the
/// source or lets it connect again, from anywhere, even from inside a callback. Cheap to clone.
///
/// Callbacks are called in the order in which they were added, by the task that polls the source,
/// before the event is returned from it. A callback that blocks holds the stream up.
#[derive(Clone)]
pub struct Handle {
    callbacks: Arc<Mutex<Callbacks>>,
    closed: CancellationToken,
    reconnect: Arc<Reconnect>,
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

/// The reason for a call.
#[derive(Clone, Copy)]
pub(crate) enum Call<'a> {
    Open(&'a Open),
    Event(&'a Event),
    Comment(&'a str),
}

/// The calls that a function is for.
#[derive(Debug)]
enum On {
    Open,
    Comment,
    /// Events of this type.
    Type(String),
    AnyEvent,
}

type Function = Box<dyn FnMut(Call<'_>) + Send>;

struct Entry {
    on: On,
    active: AtomicBool,
    function: Mutex<Function>,
}

/// The wish to connect again.
#[derive(Debug, Default)]
struct Reconnect {
    is_wanted: AtomicBool,
    waker: Mutex<Option<Waker>>,
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
        self.add(On::Type(event.into()), with_event(function))
    }

    /// Calls a function with each event.
    pub fn on_any(&self, function: impl FnMut(&Event) + Send + 'static) -> Callback {
        self.add(On::AnyEvent, with_event(function))
    }

    /// Calls a function with each comment, whether or not the source returns them
    /// ([`EventSource::comments`](crate::EventSource::comments)).
    pub fn on_comment(&self, mut function: impl FnMut(&str) + Send + 'static) -> Callback {
        let function = move |call: Call<'_>| {
            if let Call::Comment(text) = call {
                function(text);
            }
        };
        self.add(On::Comment, Box::new(function))
    }

    /// Calls a function each time that the server has accepted a connection.
    pub fn on_open(&self, mut function: impl FnMut(&Open) + Send + 'static) -> Callback {
        let function = move |call: Call<'_>| {
            if let Call::Open(open) = call {
                function(open);
            }
        };
        self.add(On::Open, Box::new(function))
    }

    /// Ends the connection and the source, which then reports
    /// [`Closed::ByClient`](crate::Closed::ByClient). If a callback calls this, the source still
    /// returns the event that it was called with; no other event follows.
    pub fn close(&self) {
        self.closed.cancel();
    }

    /// Ends the connection, the attempt or the wait, and connects again at once. The source keeps
    /// the last event id, the reconnection time of the server, its callbacks and its handles, and
    /// returns [`Update::Connecting`](crate::Update::Connecting) without an error.
    ///
    /// A source that has ended for good stays so.
    pub fn reconnect(&self) {
        self.reconnect.is_wanted.store(true, Ordering::Release);
        let waker = lock(&self.reconnect.waker).take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(crate) fn new() -> Self {
        Self {
            callbacks: Arc::default(),
            closed: CancellationToken::new(),
            reconnect: Arc::default(),
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.is_cancelled()
    }

    /// Resolves once [`close`](Self::close) has been called.
    pub(crate) fn closed(&self) -> WaitForCancellationFutureOwned {
        self.closed.clone().cancelled_owned()
    }

    /// Returns `true` once for calls of [`reconnect`](Self::reconnect) since the last time.
    pub(crate) fn take_reconnect(&self) -> bool {
        let is_wanted = &self.reconnect.is_wanted;
        is_wanted.load(Ordering::Relaxed) && is_wanted.swap(false, Ordering::Acquire)
    }

    /// Wakes this task at the next [`reconnect`](Self::reconnect). Returns `true` if there has been
    /// one already.
    pub(crate) fn wake_at_reconnect(&self, cx: &Context<'_>) -> bool {
        *lock(&self.reconnect.waker) = Some(cx.waker().clone());
        self.reconnect.is_wanted.load(Ordering::Acquire)
    }

    /// Returns `true` if a function wants to be called with comments.
    pub(crate) fn wants_comments(&self) -> bool {
        let entries = Arc::clone(&lock(&self.callbacks).entries);
        entries.iter().any(|entry| matches!(entry.on, On::Comment))
    }

    /// Calls the functions that are for this. The list is not locked meanwhile, so they can change
    /// it.
    pub(crate) fn call(&self, call: Call<'_>) {
        let entries = Arc::clone(&lock(&self.callbacks).entries);
        for entry in entries.iter() {
            let is_for_this = match (&entry.on, call) {
                (On::Open, Call::Open(_))
                | (On::Comment, Call::Comment(_))
                | (On::AnyEvent, Call::Event(_)) => true,
                (On::Type(kind), Call::Event(event)) => *kind == event.event,
                _ => false,
            };
            if is_for_this && entry.active.load(Ordering::Acquire) && !self.is_closed() {
                lock(&entry.function)(call);
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

    fn add(&self, on: On, function: Function) -> Callback {
        let entry = Arc::new(Entry {
            on,
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

fn with_event(mut function: impl FnMut(&Event) + Send + 'static) -> Function {
    Box::new(move |call| {
        if let Call::Event(event) = call {
            function(event);
        }
    })
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
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("on", &self.on)
            .field("active", &self.active)
            .finish_non_exhaustive()
    }
}
