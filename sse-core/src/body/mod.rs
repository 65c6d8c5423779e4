//! `SseBody`: the response body that every adapter hands to its framework.

mod encoded;
mod lease;
mod opening;
mod reconnect;

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures_core::Stream;
use sync_wrapper::SyncFuture;

pub(crate) use self::reconnect::Reconnect;
use self::{encoded::Encoded, lease::Lease, opening::Opening};
use crate::{
    channel::{self, Sender},
    resume::Outcome,
    subscriber::{Deliveries, Pending, Subscriber},
    subscription::OnGap,
    wire::Message,
};

/// The body of a response: an event stream as bytes, ready for any framework.
///
/// * The first bytes are there at once, so that `EventSource.onopen` and proxies need not wait for
///   an event. A subscription begins with the `id` of its place and a blank line, so that a client
///   which is cut off before its first message can come back and misses nothing. See
///   [`opening_id`](Self::opening_id).
/// * **Keep-alive is on**: after 15 s of silence a comment line is sent. Three of the five
///   frameworks notice only when they write that a client has left.
/// * **A client that takes nothing** for 120 s, though there is something to take, loses its place:
///   see [`send_timeout`](Self::send_timeout).
/// * It ends with `None` and never fails; dropping it unsubscribes.
///
/// Keep-alive and the time-out need a tokio runtime with a clock, such as all five frameworks run
/// on. Without one there is neither.
#[must_use = "a body does nothing until it is sent"]
pub struct SseBody {
    lease: Arc<Lease>,
}

impl SseBody {
    /// The default silence before a keep-alive: 15 s, as the standard recommends against proxies
    /// that time out.
    pub const KEEP_ALIVE: Duration = Duration::from_secs(15);

    /// The default time for which a client may take nothing: 120 s, longer than any pause of a
    /// network that is worth waiting for.
    pub const SEND_TIMEOUT: Duration = Duration::from_secs(120);

    /// Creates the body of a subscription. [`Hub::subscribe`](crate::Hub::subscribe) does so for
    /// you.
    pub fn new(subscriber: Subscriber, on_gap: OnGap) -> Self {
        let outcome = subscriber.outcome();
        let (id, deliveries) = subscriber.into_parts();
        let gap = match outcome {
            Outcome::Gap(gap) => on_gap.tells().then_some(gap),
            Outcome::Fresh | Outcome::Recovered => None,
        };
        Self::with(deliveries, Opening { id, gap }, outcome)
    }

    /// Creates the body of a single request, without a hub: an LLM's answer, the progress of a job.
    ///
    /// It ends when the stream ends. See [`until`](Self::until) to end it on shutdown.
    pub fn stream(messages: impl Stream<Item = Message> + Send + 'static) -> Self {
        Self::alone(Pending::new(Encoded::new(messages)))
    }

    /// Creates a body that a handler or task writes to. The channel holds at most this many
    /// messages, at least 1.
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
        (sender, Self::alone(receiver))
    }

    /// Sets the silence before a keep-alive; at least 10 ms. `None` turns it off, and with it the
    /// only sign by which some frameworks notice that an idle client has left.
    pub fn keep_alive(self, interval: impl Into<Option<Duration>>) -> Self {
        self.lease.state().set_keep_alive(interval.into());
        self
    }

    /// Sets the time for which a client may take nothing though there is something to take, if only
    /// a keep-alive; `None` is no limit. By default [`SEND_TIMEOUT`](Self::SEND_TIMEOUT).
    ///
    /// A client takes something when the framework asks for more, so a single message that a slow
    /// client reads for longer than this is a time-out, too. It is checked once per keep-alive, and
    /// so may take effect that much later.
    ///
    /// After the time-out the body gives up its place in the hub and everything pending, without
    /// being polled, and ends if it is polled again. The client comes back with its
    /// `Last-Event-ID`. Closing the connection is up to the server.
    pub fn send_timeout(self, timeout: impl Into<Option<Duration>>) -> Self {
        self.lease.state().set_send_timeout(timeout.into());
        self
    }

    /// Begins the stream of a subscription with the `id` of its place and a blank line, or does
    /// not; by default it does.
    ///
    /// Clients that follow the standard keep the id and dispatch nothing. `fetch-event-source` and
    /// `httpx-sse` make an event without data of it: turn it off where their users cannot pass over
    /// that. A few libraries forget the id. A client that has none counts as new when it is cut off
    /// before its first message, and misses the messages published meanwhile.
    pub fn opening_id(self, shown: bool) -> Self {
        if !shown {
            self.lease.state().forget_place();
        }
        self
    }

    /// Sets the times after which clients come back. For hubs.
    pub(crate) fn reconnect(self, reconnect: Option<Reconnect>) -> Self {
        self.lease.state().set_reconnect(reconnect);
        self
    }

    /// Ends the body cleanly when a future is ready, such as [`Hub::closed`](crate::Hub::closed).
    /// Of several futures the first counts.
    ///
    /// Everything that was accepted before is delivered, then the end: the messages published to
    /// its topics, those in the history for it, those that a [`Sender`] has sent, and those that a
    /// [stream](Self::stream) has ready, up to 1,024. A client that takes nothing for a whole
    /// keep-alive is not waited for.
    pub fn until(self, end: impl Future<Output = ()> + Send + 'static) -> Self {
        let end = Box::pin(SyncFuture::new(end));
        self.lease.state().end_when(end);
        self
    }

    /// Returns the outcome of the client's attempt to resume.
    pub fn outcome(&self) -> Outcome {
        self.lease.state().outcome
    }

    fn alone(source: impl Deliveries + 'static) -> Self {
        Self::with(Box::pin(source), Opening::default(), Outcome::Fresh)
    }

    fn with(source: Pin<Box<dyn Deliveries>>, opening: Opening, outcome: Outcome) -> Self {
        let lease = Lease::new(source, opening, outcome);
        Self { lease }
            .keep_alive(Self::KEEP_ALIVE)
            .send_timeout(Self::SEND_TIMEOUT)
    }
}

/// Whole messages and comments, never an empty piece: in HTTP/1.1 that would end the body.
impl Stream for SseBody {
    type Item = Bytes;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        self.get_mut().lease.poll_next(cx)
    }
}

impl Drop for SseBody {
    fn drop(&mut self) {
        self.lease.end();
    }
}

impl fmt::Debug for SseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SseBody")
            .field("outcome", &self.outcome())
            .finish_non_exhaustive()
    }
}
