//! The entrances of peers: our hub, tokio's `broadcast`, and none.

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
    /// Joe with its defaults, unless the settings say otherwise.
    pub(super) fn new(settings: &Settings) -> Result<Self> {
        let mut builder = Joe::builder();
        if let Some([messages, bytes]) = settings.queue.as_deref() {
            builder = builder.queue_messages(*messages).queue_bytes(*bytes);
        }
        if let Some(messages) = settings.history {
            builder = match &settings.store {
                Some(directory) => {
                    let options = Store::at(directory).max_messages(u64::try_from(messages)?);
                    builder.replayer(options.open()?)
                }
                None => builder.replayer(FiniteReplayer::new(messages)),
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
        // Refused only after a shutdown; what was not published is missed by the readers.
        published.ok()?.id.map(String::from)
    }

    fn subscribers(&self) -> usize {
        self.joe.subscribers()
    }
}

/// Most peers fan out with tokio's `broadcast`.
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

    /// Gives a client's messages from now on. Messages that it loses when it is behind are left
    /// out, as is usual.
    pub(super) fn subscribe(&self) -> impl Stream<Item = T> + Send + Sync + use<T> {
        BroadcastStream::new(self.receiver()).filter_map(|it| future::ready(it.ok()))
    }

    /// As [`subscribe`](Self::subscribe), but not as a stream.
    pub(super) fn receiver(&self) -> broadcast::Receiver<T> {
        self.sender.subscribe()
    }
}

impl Broadcast<Arc<str>> {
    /// The text of messages; each client encodes it for itself, as frameworks' events ask for.
    pub(super) fn of_texts() -> Self {
        Self::new(Arc::from)
    }
}

impl Broadcast<Bytes> {
    /// Messages as they go over the wire, encoded once.
    pub(super) fn of_events() -> Self {
        Self::new(|data| format!("data: {data}\n\n").into())
    }

    /// As [`of_events`](Self::of_events), each in a chunk of HTTP.
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

/// An entrance that leads nowhere.
#[derive(Clone)]
pub(super) struct Nobody;

impl Fanout for Nobody {
    async fn publish(&self, _: String) -> Option<String> {
        None
    }

    fn subscribers(&self) -> usize {
        0
    }
}

/// A first chunk, and then nothing for ever.
pub(super) fn endless() -> impl Stream<Item = Bytes> + Send + Sync + use<> {
    stream::once(future::ready(Bytes::from_static(b":\n\n"))).chain(stream::pending())
}
