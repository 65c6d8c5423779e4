//! A producer that panics in the middle of its stream.

use std::panic;

use futures_util::{Stream, StreamExt, stream};
use sse_core::Message;
use tokio::sync::{Mutex, MutexGuard, Notify};

use super::{Piece, Server, Subject};

/// Streams `0`, `1` and, when the case says so, panics: for the app's `/panic`.
pub fn panicking() -> impl Stream<Item = Message> + Send + 'static {
    let messages = stream::iter(["0", "1"].map(Message::data));
    messages.chain(stream::once(async {
        PANICS.now.notified().await;
        // As a panic, without its text among those of the tests.
        panic::resume_unwind(Box::new("a bug in the stream of an application"))
    }))
}

/// The moment at which [`panicking`] panics.
pub(super) static PANICS: Panics = Panics {
    alone: Mutex::const_new(()),
    now: Notify::const_new(),
};

pub(super) struct Panics {
    alone: Mutex<()>,
    now: Notify,
}

impl Panics {
    /// Keeps other cases with such a stream waiting.
    pub(super) async fn alone(&self) -> MutexGuard<'_, ()> {
        self.alone.lock().await
    }

    pub(super) fn now(&self) {
        self.now.notify_one();
    }
}

pub async fn a_stream_whose_producer_panics_is_cut_off_alone(subject: Subject) {
    let _alone = PANICS.alone().await;
    let server = Server::start(subject);
    let mut other = server.client().await.get("/events").await.body;
    let mut body = server.client().await.get("/panic").await.body;
    assert_eq!(body.data(2).await, ["0", "1"]);
    PANICS.now();
    let expected = if subject.cuts_off_panics {
        Piece::CutOff
    } else {
        Piece::End
    };
    assert_eq!(body.piece().await, expected);
    server.publish("on", ()).await;
    assert_eq!(other.event().await.data, "on");
    let mut new = server.client().await.get("/events").await.body;
    server.publish("new", ()).await;
    assert_eq!(new.event().await.data, "new");
}
