//! What most peers fan out with: tokio's `broadcast`.

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, future};
use std::sync::Arc;
use tokio::sync::broadcast;
use tokio_stream::wrappers::BroadcastStream;

use crate::server::Fanout;

/// Messages that a client may be behind before it loses some: enough for every scenario.
const CAPACITY: usize = 1 << 16;

/// The text of messages; each client encodes it for itself, as frameworks' events ask for.
#[derive(Clone, Debug)]
pub(crate) struct Texts(broadcast::Sender<Arc<str>>);

/// Messages as they go over the wire, encoded once.
#[derive(Clone, Debug)]
pub(crate) struct Encoded {
    sender: broadcast::Sender<Bytes>,
    encode: fn(&str) -> Bytes,
}

impl Texts {
    pub(crate) fn new() -> Self {
        Self(broadcast::Sender::new(CAPACITY))
    }

    /// A client's messages from now on. What it loses when it is behind is left out, as is usual.
    pub(crate) fn subscribe(&self) -> impl Stream<Item = Arc<str>> + Send + Sync + use<> {
        BroadcastStream::new(self.0.subscribe()).filter_map(|it| future::ready(it.ok()))
    }

    /// As [`subscribe`](Self::subscribe), but not as a stream.
    pub(crate) fn receiver(&self) -> broadcast::Receiver<Arc<str>> {
        self.0.subscribe()
    }
}

impl Encoded {
    pub(crate) fn new(encode: fn(&str) -> Bytes) -> Self {
        Self {
            sender: broadcast::Sender::new(CAPACITY),
            encode,
        }
    }

    pub(crate) fn subscribe(&self) -> impl Stream<Item = Bytes> + Send + use<> {
        BroadcastStream::new(self.sender.subscribe()).filter_map(|it| future::ready(it.ok()))
    }

    pub(crate) fn receiver(&self) -> broadcast::Receiver<Bytes> {
        self.sender.subscribe()
    }
}

impl Fanout for Texts {
    async fn publish(&self, data: String) -> Option<String> {
        // An error means that there is no client, which is nobody's loss.
        let _ = self.0.send(data.into());
        None
    }

    fn subscribers(&self) -> usize {
        self.0.receiver_count()
    }
}

impl Fanout for Encoded {
    async fn publish(&self, data: String) -> Option<String> {
        let _ = self.sender.send((self.encode)(&data));
        None
    }

    fn subscribers(&self) -> usize {
        self.sender.receiver_count()
    }
}
