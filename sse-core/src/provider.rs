//! The publish-subscribe system behind a hub, and the way to write one's own.
//!
//! An application needs [`Joe`](crate::Joe), which is a provider, and nothing of this module.
//!
//! # Writing a provider
//!
//! 1. Implement [`Provider`] for a type of yours: `publish`, `subscribe` and `shutdown`. Messages
//!    arrive checked; encode each once with [`Message::to_bytes`] and share the bytes.
//! 2. Fan out with a [`Fanout`](crate::fanout::Fanout), which is what Joe does, or with whatever
//!    your engine has. A [`Subscriber`] takes any stream of bytes; it needs [`Deliveries`] only to
//!    end after exactly what was accepted.
//! 3. Decide on each subscription where it begins: [`Subscription::resume_from`]. Of a past that
//!    cannot be continued the client is told by [`Subscription::outcome_of`] a
//!    [`Gap`](crate::resume::Gap), never by silence.
//! 4. Name the place where each stream begins with [`Subscriber::beginning_at`];
//!    [`Epoch`](crate::replay::Epoch) makes such ids and reads them back.
//! 5. Run the provider suite of `sse-conformance` on it. `examples/custom-provider` does all of
//!    this in about a hundred lines.

use std::{
    fmt,
    future::{Future, pending},
    pin::Pin,
    sync::Arc,
};

use async_trait::async_trait;

pub use crate::{
    error::ProviderClosed,
    subscriber::{Deliveries, Subscriber},
};
use crate::{
    error::{PublishError, SubscribeError},
    subscription::Subscription,
    topics::Topics,
    wire::EventId,
    wire::Message,
};

/// A publish-subscribe system: takes messages in, hands subscribers out.
///
/// [`Joe`](crate::Joe) is the one in process; implement this for another engine and
/// everything else works on it. `sse-conformance` holds the suite that says whether
/// an implementation keeps to what follows.
///
/// * **Order**: a subscriber gets messages in the order in which they were accepted.
/// * **Once**: it gets a message once, however many of its topics match.
/// * **Independence**: no subscriber delays another or a publisher; memory per subscriber is
///   bounded.
/// * **No race**: a message whose `publish` began after `subscribe` returned is delivered.
///   History and live messages join without a gap and without a double.
/// * **Honesty**: a subscriber that may have missed something is told, in
///   [`Outcome`](crate::resume::Outcome) or by the end of its stream.
/// * **A place to come back to**: a client that is cut off before its first message has an id, too:
///   [`Subscriber::beginning_at`].
/// * **Unsubscribing** is dropping the [`Subscriber`]. When the last handle of the provider itself
///   is dropped, nobody can publish any more, and the streams end after the messages that were
///   published.
#[async_trait]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no provider",
    label = "a hub needs a provider, such as `Joe`",
    note = "a `JoeBuilder` becomes one with `.build()`"
)]
pub trait Provider: fmt::Debug + Send + Sync + 'static {
    /// Publishes to everyone subscribed to at least one of the topics.
    ///
    /// The [`Hub`](crate::Hub) has checked the message, which is not empty and whose id is not
    /// empty, and that nothing exceeds its limits: see [`Hub::publish`](crate::Hub::publish).
    ///
    /// A message is stored, where there is history, before it is delivered; an error means that it
    /// was neither. Does not wait for any subscriber to receive it. Cancelling either has no effect
    /// or comes too late: a message is never half published.
    ///
    /// A message to no topics is no error. It reaches nobody, is not stored, and has no id.
    async fn publish(&self, message: Message, topics: Topics) -> Result<Published, PublishError>;

    /// Subscribes. Live from the moment this returns.
    ///
    /// The [`Hub`](crate::Hub) has checked the number of the topics and the length of their names.
    ///
    /// A subscription to no topics is a stream in which nothing comes, until it ends.
    async fn subscribe(&self, subscription: Subscription) -> Result<Subscriber, SubscribeError>;

    /// Ends every subscriber's stream, after the messages that were published are delivered, and
    /// refuses everything from then on. Does not wait for subscribers. Only the first call
    /// succeeds.
    async fn shutdown(&self) -> Result<(), ProviderClosed>;

    /// Returns a future that is ready once the provider has ended, also by itself: it was shut
    /// down, has failed for good, or its last handle is gone. It must not keep the provider alive.
    ///
    /// By default never: then [`Hub::closed`](crate::Hub::closed) knows only of a shutdown through
    /// the hub.
    fn closed(&self) -> Closed {
        Box::pin(pending())
    }
}

/// The answer of [`Provider::closed`].
pub type Closed = Pin<Box<dyn Future<Output = ()> + Send + 'static>>;

/// The receipt of a publish.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Published {
    /// The id that the message was sent with: its explicit id, or one given by the history. `None`
    /// if it has none.
    pub id: Option<EventId>,
}

impl Published {
    /// Makes the receipt of a message sent with this id. For providers.
    pub fn new(id: Option<EventId>) -> Self {
        Self { id }
    }
}

#[deny(
    clippy::missing_trait_methods,
    reason = "a default here would bypass the implementation behind"
)]
#[async_trait]
impl<P: Provider + ?Sized> Provider for Arc<P> {
    async fn publish(&self, message: Message, topics: Topics) -> Result<Published, PublishError> {
        self.as_ref().publish(message, topics).await
    }

    async fn subscribe(&self, subscription: Subscription) -> Result<Subscriber, SubscribeError> {
        self.as_ref().subscribe(subscription).await
    }

    async fn shutdown(&self) -> Result<(), ProviderClosed> {
        self.as_ref().shutdown().await
    }

    fn closed(&self) -> Closed {
        self.as_ref().closed()
    }
}

#[deny(
    clippy::missing_trait_methods,
    reason = "a default here would bypass the implementation behind"
)]
#[async_trait]
impl<P: Provider + ?Sized> Provider for Box<P> {
    async fn publish(&self, message: Message, topics: Topics) -> Result<Published, PublishError> {
        self.as_ref().publish(message, topics).await
    }

    async fn subscribe(&self, subscription: Subscription) -> Result<Subscriber, SubscribeError> {
        self.as_ref().subscribe(subscription).await
    }

    async fn shutdown(&self) -> Result<(), ProviderClosed> {
        self.as_ref().shutdown().await
    }

    fn closed(&self) -> Closed {
        self.as_ref().closed()
    }
}

/// Returns `true` if a message belongs in a history: it has data or an id, so that a client could
/// miss it or resume from it. Comments and `retry` alone are delivered live only.
pub fn is_kept(message: &Message) -> bool {
    message.data.is_some() || message.id.is_some()
}
