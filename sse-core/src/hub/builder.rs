//! What is set before a hub begins.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use super::Hub;
use crate::{body::SseBody, provider::Provider};

/// Sets up a [`Hub`].
///
/// ```
/// use std::time::Duration;
/// use sse_core::{Hub, Joe};
///
/// let hub = Hub::builder(Joe::new())
///     .keep_alive(Duration::from_secs(5))
///     .spread_reconnects(Duration::from_secs(30))
///     .build();
/// ```
#[derive(Debug)]
#[must_use = "a builder does nothing until it builds"]
pub struct HubBuilder {
    provider: Arc<dyn Provider>,
    keep_alive: Option<Duration>,
    spread: Option<Duration>,
}

impl HubBuilder {
    pub(super) fn new(provider: impl Provider) -> Self {
        Self {
            provider: Arc::new(provider),
            keep_alive: Some(SseBody::KEEP_ALIVE),
            spread: None,
        }
    }

    /// Sets how long a stream may be silent before a keep-alive; by default [`SseBody::KEEP_ALIVE`]. `None` turns it
    /// off. See [`SseBody::keep_alive`], which sets it for one stream.
    pub fn keep_alive(mut self, interval: impl Into<Option<Duration>>) -> Self {
        self.keep_alive = interval.into();
        self
    }

    /// Spreads the clients over a window when the hub shuts down; by default not.
    ///
    /// Each stream then ends with a `retry` of 3 s and a random part of the window, so that a restarted server is not met by
    /// everyone at once. Each begins with a `retry` of 3 s, because a client keeps what it was told last.
    pub fn spread_reconnects(mut self, window: Duration) -> Self {
        self.spread = Some(window);
        self
    }

    /// The hub.
    #[must_use]
    pub fn build(self) -> Hub {
        Hub {
            provider: self.provider,
            keep_alive: self.keep_alive,
            spread: self.spread,
            closed: watch::Sender::new(false),
        }
    }
}
