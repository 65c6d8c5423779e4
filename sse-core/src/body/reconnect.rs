//! `Reconnect`: the times after which clients come back: soon after a mishap, spread out after a
//! shutdown.

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;

use crate::{random::random, wire::Message};

/// The times after which the clients of a stream come back.
#[derive(Clone, Debug)]
pub(crate) struct Reconnect {
    /// The time over which the clients are spread when the hub has closed.
    pub(crate) window: Duration,
    pub(crate) closed: watch::Receiver<bool>,
}

impl Reconnect {
    /// The time that clients wait when there is no reason to wait longer. A client keeps the time
    /// that it was told last, so each stream has to tell it again.
    pub(crate) const USUAL: Duration = Duration::from_secs(3);

    /// Returns the last bytes of a stream, if the hub has closed.
    pub(super) fn farewell(&self) -> Option<Bytes> {
        let is_closed = *self.closed.borrow();
        is_closed.then(|| {
            let window = u64::try_from(self.window.as_millis()).unwrap_or(u64::MAX);
            let later = Duration::from_millis(random() % window.saturating_add(1));
            let retry = Self::USUAL.saturating_add(later);
            Message::default().retry(retry).to_bytes()
        })
    }
}
