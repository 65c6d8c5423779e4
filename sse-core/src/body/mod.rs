//! `SseBody`: the response body that every adapter hands to its framework.

mod channel;
mod keep_alive;
mod reconnect;

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use futures_core::Stream;
use sync_wrapper::{SyncFuture, SyncStream};

pub use self::channel::{Disconnected, Sender};
use self::keep_alive::KeepAlive;
pub(crate) use self::reconnect::Reconnect;
use crate::{
    message::Message,
    resume::{Gap, Outcome},
    subscriber::Subscriber,
    subscription::OnGap,
};

/// A comment line without a blank line, which some clients would make an event of.
const COMMENT: &[u8] = b":\n";

type Source = Pin<Box<dyn Stream<Item = Bytes> + Send + Sync>>;

/// The body of a response: an event stream as bytes, ready for any framework.
///
/// * The first bytes are there at once, a comment, so that `EventSource.onopen` and proxies need not wait for an event.
/// * **Keep-alive is on**: after 15 s of silence a comment line is sent. Three of the five frameworks notice
///   that a client has left only when they write.
/// * It ends with `None` and never fails; dropping it unsubscribes.
///
/// Keep-alive needs the tokio runtime that all five frameworks run on; without one there is none.
#[must_use = "a body does nothing until it is sent"]
pub struct SseBody {
    source: Source,
    /// What comes first; `None` once it has been sent.
    opening: Option<Opening>,
    keep_alive: Option<KeepAlive>,
    reconnect: Option<Box<Reconnect>>,
    until: Option<Pin<Box<dyn Future<Output = ()> + Send + Sync>>>,
    outcome: Outcome,
    ended: bool,
}

impl SseBody {
    /// How long there may be silence before a keep-alive: 15 s, as the standard recommends against proxies.
    pub const KEEP_ALIVE: Duration = Duration::from_secs(15);

    /// The body of a subscription. [`Hub::subscribe`](crate::Hub::subscribe) makes one.
    pub fn new(subscriber: Subscriber, on_gap: OnGap) -> Self {
        let outcome = subscriber.outcome();
        let gap = match (outcome, on_gap) {
            (Outcome::Gap(gap), OnGap::Tell | OnGap::Replay) => Some(gap),
            _ => None,
        };
        Self::from_boxed(subscriber.into_deliveries(), gap, outcome)
    }

    /// A body of its own for one request, without a hub: an LLM's answer, the progress of a job.
    ///
    /// Ends when the stream ends. See [`until`](Self::until) to end it on shutdown.
    pub fn stream(messages: impl Stream<Item = Message> + Send + 'static) -> Self {
        let encoded = Encoded(Box::pin(SyncStream::new(messages)));
        Self::from_bytes(encoded)
    }

    /// A body that a handler or task writes to, holding at most so many messages.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use sse_core::{Message, SseBody};
    ///
    /// let (sender, body) = SseBody::channel(16);
    /// tokio::spawn(async move {
    ///     for percent in [0, 50, 100] {
    ///         if sender.send(Message::data(format!("{percent} %"))).await.is_err() {
    ///             break; // the client is gone
    ///         }
    ///     }
    /// });
    /// # drop(body); }
    /// ```
    pub fn channel(capacity: usize) -> (Sender, Self) {
        let (sender, receiver) = channel::channel(capacity);
        (sender, Self::from_bytes(receiver))
    }

    /// Sets how long there may be silence before a keep-alive; at least 10 ms. `None` turns it off, and with it
    /// the only sign by which some frameworks notice that an idle client has left.
    pub fn keep_alive(mut self, interval: impl Into<Option<Duration>>) -> Self {
        self.keep_alive = interval.into().map(KeepAlive::new);
        self
    }

    /// Says when to come back. For hubs.
    pub(crate) fn reconnect(mut self, reconnect: Option<Reconnect>) -> Self {
        self.reconnect = reconnect.map(Box::new);
        self
    }

    /// Ends the body cleanly when a future is ready, such as [`Hub::closed`](crate::Hub::closed).
    pub fn until(mut self, end: impl Future<Output = ()> + Send + 'static) -> Self {
        self.until = Some(Box::pin(SyncFuture::new(end)));
        self
    }

    /// What became of the client's past.
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    fn from_bytes(source: impl Stream<Item = Bytes> + Send + Sync + 'static) -> Self {
        Self::from_boxed(Box::pin(source), None, Outcome::Fresh)
    }

    fn from_boxed(source: Source, gap: Option<Gap>, outcome: Outcome) -> Self {
        Self {
            source,
            opening: Some(Opening { gap }),
            keep_alive: Some(KeepAlive::new(Self::KEEP_ALIVE)),
            reconnect: None,
            until: None,
            outcome,
            ended: false,
        }
    }

    fn poll_source(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if let Some(until) = &mut self.until
            && until.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(None);
        }
        if let Poll::Ready(bytes) = self.source.as_mut().poll_next(cx) {
            return Poll::Ready(bytes);
        }
        match &mut self.keep_alive {
            Some(keep_alive) => keep_alive
                .poll_due(cx)
                .map(|()| Some(Bytes::from_static(COMMENT))),
            None => Poll::Pending,
        }
    }
}

/// What a body begins with: a comment, and perhaps more.
#[derive(Clone, Copy)]
struct Opening {
    gap: Option<Gap>,
}

impl Opening {
    fn to_bytes(self, tells_when_to_reconnect: bool) -> Bytes {
        if self.gap.is_none() && !tells_when_to_reconnect {
            return Bytes::from_static(COMMENT);
        }
        let mut bytes = COMMENT.to_vec();
        if tells_when_to_reconnect {
            bytes.extend_from_slice(Reconnect::opening().as_bytes());
        }
        if let Some(gap) = self.gap {
            bytes.extend_from_slice(&gap.message().to_bytes());
        }
        bytes.into()
    }
}

/// Whole messages and comments, never an empty piece: in HTTP/1.1 that would end the body.
impl Stream for SseBody {
    type Item = Bytes;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let body = self.get_mut();
        if body.ended {
            return Poll::Ready(None);
        }
        let bytes = match body.opening.take() {
            Some(opening) => Some(opening.to_bytes(body.reconnect.is_some())),
            None => ready!(body.poll_source(cx)),
        };
        match (&bytes, &mut body.keep_alive) {
            (Some(_), Some(keep_alive)) => keep_alive.reset(),
            (Some(_), None) => {}
            (None, _) => {
                body.ended = true;
                let farewell = body.reconnect.as_ref().and_then(|it| it.farewell());
                return Poll::Ready(farewell);
            }
        }
        Poll::Ready(bytes)
    }
}

impl fmt::Debug for SseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SseBody")
            .field("outcome", &self.outcome)
            .field("keep_alive", &self.keep_alive)
            .finish_non_exhaustive()
    }
}

/// Messages as bytes; empty ones are left out.
struct Encoded<S>(Pin<Box<SyncStream<S>>>);

impl<S: Stream<Item = Message>> Stream for Encoded<S> {
    type Item = Bytes;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        while let Some(message) = ready!(self.0.as_mut().poll_next(cx)) {
            if !message.is_empty() {
                return Poll::Ready(Some(message.to_bytes()));
            }
        }
        Poll::Ready(None)
    }
}
