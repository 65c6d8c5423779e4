//! The entrances of peers, our hub and tokio's `broadcast`, and the body of those that have none.

use std::sync::Arc;

use anyhow::Result;
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, future, stream};
use sse_core::{FiniteReplayer, Hub, Joe, Message};
use sse_store::Store;
use tokio::sync::broadcast;
use tokio_stream::wrappers::BroadcastStream;

use crate::server::{Fanout, Settings};

/// A hub on Joe.
#[derive(Clone)]
pub(super) struct OurHub {
    pub(super) hub: Hub,
    joe: Arc<Joe>,
}

impl OurHub {
    /// Makes Joe with its defaults, unless the settings say otherwise.
    pub(super) fn new(settings: &Settings) -> Result<Self> {
        let mut builder = Joe::builder();
        if let Some([messages, bytes]) = settings.queue.as_deref() {
            builder = builder.queue_messages(*messages).queue_bytes(*bytes);
        }
        if let Some(messages) = settings.history {
            builder = if let Some(directory) = &settings.store {
                let options = Store::at(directory).max_messages(u64::try_from(messages)?);
                builder.replayer(options.open()?)
            } else {
                builder.replayer(FiniteReplayer::new(messages))
            };
        }
        let joe = Arc::new(builder.build());
        let hub = Hub::new(Arc::clone(&joe));
        Ok(Self { hub, joe })
    }
}

impl Fanout for OurHub {
    async fn publish(&self, data: String) -> Option<String> {
        let published = self.hub.publish(Message::data(data), ()).await;
        // It is refused only after a shutdown; then the readers miss it.
        published.ok()?.id.map(String::from)
    }

    fn subscribers(&self) -> usize {
        self.joe.subscribers()
    }
}

/// The fan-out of most peers, tokio's `broadcast`.
#[derive(Clone)]
pub(super) struct Broadcast<T> {
    sender: broadcast::Sender<T>,
    encode: fn(String) -> T,
}

impl<T: Clone + Send + Sync + 'static> Broadcast<T> {
    /// Messages that a client may be behind before it loses some: enough for every scenario.
    const CAPACITY: usize = 1 << 16;

    fn new(encode: fn(String) -> T) -> Self {
        let sender = broadcast::Sender::new(Self::CAPACITY);
        Self { sender, encode }
    }

    /// Returns a client's messages from now on. Those that it loses when it is behind are left out,
    /// as is usual.
    pub(super) fn subscribe(&self) -> impl Stream<Item = T> + Send + Sync + use<T> {
        BroadcastStream::new(self.receiver()).filter_map(|it| future::ready(it.ok()))
    }

    /// Subscribes as [`subscribe`](Self::subscribe) does, but not as a stream.
    pub(super) fn receiver(&self) -> broadcast::Receiver<T> {
        self.sender.subscribe()
    }
}

impl Broadcast<Arc<str>> {
    /// Carries the text of messages, which each client encodes for itself, as the frameworks'
    /// events require.
    pub(super) fn of_texts() -> Self {
        Self::new(Arc::from)
    }
}

impl Broadcast<Bytes> {
    /// Carries messages as they are on the wire, encoded once.
    pub(super) fn of_events() -> Self {
        Self::new(|data| format!("data: {data}\n\n").into())
    }

    /// Carries messages as [`of_events`](Self::of_events) does, each in a chunk of HTTP.
    pub(super) fn of_chunks() -> Self {
        Self::new(|data| {
            let event = format!("data: {data}\n\n");
            format!("{:x}\r\n{event}\r\n", event.len()).into()
        })
    }
}

impl<T: Clone + Send + Sync + 'static> Fanout for Broadcast<T> {
    async fn publish(&self, data: String) -> Option<String> {
        // An error means that there is no client, which is nobody's loss.
        let _ = self.sender.send((self.encode)(data));
        None
    }

    fn subscribers(&self) -> usize {
        self.sender.receiver_count()
    }
}

/// Returns a first chunk, and then nothing for ever.
pub(super) fn endless() -> impl Stream<Item = Bytes> + Send + Sync + use<> {
    stream::once(future::ready(Bytes::from_static(b":\n\n"))).chain(stream::pending())
}
