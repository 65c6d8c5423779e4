//! `Shared`: what Joe and its readers have in common.

use std::{
    fmt,
    panic::{self, AssertUnwindSafe},
    sync::{
        Mutex, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{sync::watch, time::Instant};

use super::history::History;
use crate::{
    error::{ProviderClosed, SubscribeError},
    fanout::Fanout,
    overflow::Overflow,
    replay::{Epoch, StoreError},
};

/// A function that takes an error which no caller gets.
pub(super) type OnError = Box<dyn Fn(&StoreError) + Send + Sync>;

/// The fan-out and the history, for Joe and each reader.
pub(super) struct Shared {
    /// Locked while a history that does not block appends: the order of the history is the order of
    /// delivery.
    pub(super) fanout: Fanout,
    /// Not kept alive by live readers, so that a store can be opened again while one of them is
    /// left.
    pub(super) history: Option<Weak<History>>,
    /// Makes the ids of places if there is no history.
    pub(super) epoch: Epoch,
    pub(super) overflow: Overflow,
    pub(super) on_error: Option<OnError>,
    /// The thread that stores has panicked.
    pub(super) has_failed: AtomicBool,
    pub(super) closed: watch::Sender<bool>,
    /// The time of the last probe.
    pub(super) last_probe: Mutex<Option<Instant>>,
}

impl Shared {
    /// Lets every reader read to the end, and nobody in.
    pub(super) fn close(&self) -> Result<(), ProviderClosed> {
        let closed = self.fanout.close();
        self.closed.send_replace(true);
        closed
    }

    /// Reports that the thread that stores has panicked, and closes.
    pub(super) fn fail(&self) {
        self.has_failed.store(true, Ordering::Release);
        self.report(&StoreError::new(FAILED));
        let _ = self.close();
    }

    /// Reports an error that ends a stream, or all of them, and that no caller gets.
    pub(super) fn report(&self, error: &StoreError) {
        if let Some(on_error) = &self.on_error {
            // It may be called while its thread is panicking, and a second panic would end the
            // process.
            let reported = panic::catch_unwind(AssertUnwindSafe(|| on_error(error)));
            drop(reported);
        }
    }

    /// Tells a provider that was shut down from one that has failed.
    pub(super) fn explain<T>(
        &self,
        result: Result<T, SubscribeError>,
    ) -> Result<T, SubscribeError> {
        match result {
            Err(SubscribeError::Closed(_)) if self.has_failed.load(Ordering::Acquire) => {
                Err(SubscribeError::Provider(FAILED.into()))
            }
            other => other,
        }
    }
}

/// The text of the error when the thread that stores is gone.
pub(super) const FAILED: &str =
    "the replayer has panicked, and the history takes nothing more; restart the service";

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Joe")
            .field("overflow", &self.overflow)
            .field("fanout", &self.fanout)
            .finish_non_exhaustive()
    }
}
