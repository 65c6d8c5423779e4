//! `HubBuilder`, the settings of a hub before it begins.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use super::{Hub, limits::Limits};
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
    streams: StreamSettings,
    limits: Limits,
}

/// The settings of each stream of a hub.
#[derive(Clone, Copy, Debug)]
pub(super) struct StreamSettings {
    pub(super) keep_alive: Option<Duration>,
    pub(super) send_timeout: Option<Duration>,
    pub(super) opening_id: bool,
    pub(super) spread: Option<Duration>,
}

impl HubBuilder {
    pub(super) fn new(provider: impl Provider) -> Self {
        Self {
            provider: Arc::new(provider),
            streams: StreamSettings {
                keep_alive: Some(SseBody::KEEP_ALIVE),
                send_timeout: Some(SseBody::SEND_TIMEOUT),
                opening_id: true,
                spread: None,
            },
            limits: Limits::default(),
        }
    }

    /// Sets how long a stream may be silent before a keep-alive; by default
    /// [`SseBody::KEEP_ALIVE`]. `None` turns it off. See [`SseBody::keep_alive`], which sets it for
    /// one stream.
    pub fn keep_alive(mut self, interval: impl Into<Option<Duration>>) -> Self {
        self.streams.keep_alive = interval.into();
        self
    }

    /// Sets how long a client may take nothing before it loses its place; by default
    /// [`SseBody::SEND_TIMEOUT`]. `None` lets it keep its place for ever. See
    /// [`SseBody::send_timeout`], which sets it for one stream.
    pub fn send_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.streams.send_timeout = timeout.into();
        self
    }

    /// Sets whether each stream begins with the `id` of its place and a blank line; by default it
    /// does. See [`SseBody::opening_id`], which sets it for one stream.
    pub fn opening_id(mut self, shown: bool) -> Self {
        self.streams.opening_id = shown;
        self
    }

    /// Spreads the clients over a window when the hub shuts down; by default not.
    ///
    /// Each stream then ends with a `retry` of 3 s plus a random part of the window, so that the
    /// clients do not all come back to a restarted server at once. Each begins with a `retry`
    /// of 3 s, because a client keeps the last one that it was told.
    pub fn spread_reconnects(mut self, window: Duration) -> Self {
        self.streams.spread = Some(window);
        self
    }

    /// Sets the most bytes of data and comment in a message; by default 1 MiB. More is a
    /// [`PublishError::TooLarge`](crate::PublishError::TooLarge).
    ///
    /// An id has at most [`EventId::MAX_BYTES`](crate::EventId::MAX_BYTES) besides, and a type
    /// [`EventType::MAX_BYTES`](crate::EventType::MAX_BYTES).
    pub fn message_bytes(mut self, bytes: usize) -> Self {
        self.limits.message_bytes = bytes;
        self
    }

    /// Sets the most bytes in the name of a topic, of a publish or of a subscription; by default
    /// 1 KiB. More is a [`PublishError::TopicTooLong`](crate::PublishError::TopicTooLong) or a
    /// [`SubscribeError::TopicTooLong`](crate::SubscribeError::TopicTooLong).
    ///
    /// A store may hold less: `sse-store` takes names of up to 60,000 bytes.
    pub fn topic_bytes(mut self, bytes: usize) -> Self {
        self.limits.topic_bytes = bytes;
        self
    }

    /// Sets the most topics of a publish and of a subscription; by default 128. More is a
    /// [`PublishError::TooManyTopics`](crate::PublishError::TooManyTopics) or a
    /// [`SubscribeError::TooManyTopics`](crate::SubscribeError::TooManyTopics).
    ///
    /// A publish takes time in proportion to its topics, and others wait for it meanwhile.
    pub fn max_topics(mut self, topics: usize) -> Self {
        self.limits.topics = topics;
        self
    }

    /// Builds the hub.
    #[must_use]
    pub fn build(self) -> Hub {
        Hub {
            provider: self.provider,
            streams: self.streams,
            limits: self.limits,
            closed: watch::Sender::new(false),
        }
    }
}
