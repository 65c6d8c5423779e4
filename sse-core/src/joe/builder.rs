//! `JoeBuilder`: the settings of [`Joe`].

use std::{
    fmt,
    sync::{Arc, Mutex, atomic::AtomicBool},
};

use tokio::sync::watch;

use super::{
    Joe,
    history::History,
    shared::{OnError, Shared},
    writer::Writer,
};
use crate::{
    fanout::{Bounds, Fanout},
    overflow::Overflow,
    replay::{Epoch, Replayer, StoreError},
};

/// Sets up a [`Joe`].
#[must_use = "a builder does nothing until it builds"]
pub struct JoeBuilder {
    bounds: Bounds,
    replayer: Option<Box<dyn Replayer>>,
    readers: usize,
    overflow: Overflow,
    on_error: Option<OnError>,
}

impl JoeBuilder {
    /// Keeps history, from which clients continue after a reconnect.
    pub fn replayer(mut self, replayer: impl Replayer) -> Self {
        self.replayer = Some(Box::new(replayer));
        self
    }

    /// Sets the number of readers that may read a page of the history at once; at least 1, by
    /// default 16. The others wait, first come, first served: a storm of reconnects takes no more
    /// memory and threads than this.
    pub fn concurrent_replays(mut self, readers: usize) -> Self {
        self.readers = readers;
        self
    }

    /// Sets the policy for readers that fall behind further than the queues hold; by default
    /// [`Overflow::CatchUp`].
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = overflow;
        self
    }

    /// Sets [`Bounds::queue_messages`].
    pub fn queue_messages(mut self, messages: usize) -> Self {
        self.bounds.queue_messages = messages;
        self
    }

    /// Sets [`Bounds::queue_bytes`].
    pub fn queue_bytes(mut self, bytes: usize) -> Self {
        self.bounds.queue_bytes = bytes;
        self
    }

    /// Sets [`Bounds::total_bytes`].
    pub fn total_bytes(mut self, bytes: usize) -> Self {
        self.bounds.total_bytes = bytes;
        self
    }

    /// Sets [`Bounds::subscribers`]. One more is a
    /// [`SubscribeError::Full`](crate::SubscribeError::Full), which a browser survives: see
    /// [`Refusal`](crate::response::Refusal).
    pub fn max_subscribers(mut self, subscribers: usize) -> Self {
        self.bounds.subscribers = subscribers;
        self
    }

    /// Reports errors that no caller gets: a page of the history cannot be read, and the stream of
    /// a connected client ends for it; or the replayer has panicked on the thread that stores, and
    /// all streams end.
    ///
    /// The function is called from the task or thread that met the error, before the stream ends;
    /// it should only count, log or notify. By default there is none, and these errors show only by
    /// their consequences.
    ///
    /// ```
    /// use sse_core::Joe;
    ///
    /// let joe = Joe::builder().on_error(|error| eprintln!("history: {error}")).build();
    /// ```
    pub fn on_error(mut self, on_error: impl Fn(&StoreError) + Send + Sync + 'static) -> Self {
        self.on_error = Some(Box::new(on_error));
        self
    }

    /// Builds the provider, for a [`Hub`](crate::Hub).
    ///
    /// With a replayer that may block it has its own thread, which stores and publishes.
    ///
    /// # Panics
    ///
    /// If the operating system cannot start that thread.
    pub fn build(self) -> Joe {
        let readers = self.readers;
        let history = self
            .replayer
            .map(|replayer| Arc::new(History::new(replayer, readers)));
        let end = history.as_ref().map(|history| history.replayer.end());
        let bounds = Bounds {
            skips: self.overflow == Overflow::Skip,
            ..self.bounds
        };
        let shared = Arc::new(Shared {
            fanout: Fanout::new(bounds).starting_at(end.unwrap_or_default()),
            history: history.as_ref().map(Arc::downgrade),
            epoch: Epoch::random(),
            overflow: self.overflow,
            on_error: self.on_error,
            has_failed: AtomicBool::new(false),
            closed: watch::Sender::new(false),
            last_probe: Mutex::new(None),
        });
        let blocking = history.as_ref();
        let blocking = blocking.filter(|history| history.replayer.is_blocking());
        let writer = blocking.map(|history| {
            // proof: there is none; it panics as `std::thread::spawn` does, as documented
            Writer::start(Arc::clone(&shared), Arc::clone(history))
                .expect("the operating system starts a thread")
        });
        Joe {
            shared,
            history,
            writer,
        }
    }
}

/// The recommended settings, without history.
impl Default for JoeBuilder {
    fn default() -> Self {
        Self {
            bounds: Bounds::default(),
            replayer: None,
            readers: 16,
            overflow: Overflow::default(),
            on_error: None,
        }
    }
}

impl fmt::Debug for JoeBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoeBuilder")
            .field("bounds", &self.bounds)
            .field("replayer", &self.replayer)
            .field("overflow", &self.overflow)
            .finish_non_exhaustive()
    }
}
