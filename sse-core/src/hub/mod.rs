//! `Hub`: the handle that an application keeps in its framework's state.

mod builder;
mod limits;
#[cfg(feature = "signal")]
mod signals;

use std::{
    future::{Future, poll_fn, ready},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use futures_core::future::BoxFuture;
use tokio::{sync::watch, time::sleep};

pub use self::builder::HubBuilder;
use self::{builder::StreamSettings, limits::Limits};
use crate::{
    body::{Reconnect, SseBody},
    error::{ProviderClosed, PublishError, SubscribeError},
    provider::{Provider, Published},
    subscription::Subscription,
    topics::Topics,
    wake::WakeTask,
    wire::Message,
};

/// One handle for everything: publish, subscribe, shut down. Cheap to clone.
///
/// When the last one is dropped, and the provider with it, the streams end after the messages that
/// were published. A reader that had fallen out of its queue by then ends at once, and resumes or
/// is told of the gap when it comes back.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use sse_core::{Hub, Joe, Message};
///
/// let hub = Hub::new(Joe::new());
/// let body = hub.subscribe("news").await?;
/// hub.publish(Message::data("hi"), ["news", "sport"]).await?;
/// hub.shutdown().await?;
/// # drop(body); Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Hub {
    provider: Arc<dyn Provider>,
    streams: StreamSettings,
    limits: Limits,
    closed: watch::Sender<bool>,
}

impl Hub {
    /// Creates a hub on a provider, with the recommended settings.
    pub fn new(provider: impl Provider) -> Self {
        Self::builder(provider).build()
    }

    /// Begins to set up a hub on a provider.
    pub fn builder(provider: impl Provider) -> HubBuilder {
        HubBuilder::new(provider)
    }

    /// Publishes to everyone subscribed to at least one of the topics; `()` means the default
    /// topic.
    ///
    /// Does not wait for clients. On an error nobody receives anything.
    ///
    /// Refused before anything else is done are a message without anything, the type
    /// [`Gap::EVENT`](crate::resume::Gap::EVENT), by which clients are told of a gap and of nothing
    /// else, and whatever exceeds a limit:
    ///
    /// | limit | by default | set by |
    /// |---|---|---|
    /// | data and comment | 1 MiB | [`HubBuilder::message_bytes`] |
    /// | id | 1 KiB | no setting: [`EventId::MAX_BYTES`](crate::EventId::MAX_BYTES) |
    /// | type | 1 KiB | no setting: [`EventType::MAX_BYTES`](crate::EventType::MAX_BYTES) |
    /// | topics | 128 | [`HubBuilder::max_topics`] |
    /// | name of a topic | 1 KiB | [`HubBuilder::topic_bytes`] |
    ///
    /// An empty id counts as none, because it would make clients forget where they are.
    ///
    /// # Publishing from synchronous code
    ///
    /// Publishing needs no runtime and may be done from any thread. Without a history that may
    /// block on a disk it is ready at the first poll, so `futures::executor::block_on`, or
    /// `now_or_never` as here, waits for nothing, also within a task. With one, `block_on` waits
    /// until the message is stored: from a thread that may block, such as one of `spawn_blocking`,
    /// or with the `Handle` of a runtime. Within a task use `.await`.
    ///
    /// ```
    /// use futures_util::FutureExt;
    /// use sse_core::{Hub, Joe, Message};
    ///
    /// let hub = Hub::new(Joe::new());
    /// let published = hub.publish(Message::data("hi"), "news").now_or_never();
    /// assert!(matches!(published, Some(Ok(_))));
    /// ```
    // Neither `async fn` nor `impl Future`, which hold the type of the topics: the compiler would
    // report a wrong one three times.
    pub fn publish(
        &self,
        message: Message,
        topics: impl Into<Topics>,
    ) -> BoxFuture<'_, Result<Published, PublishError>> {
        let topics = topics.into();
        match self.limits.accept(message, &topics) {
            Ok(message) => self.provider.publish(message, topics),
            Err(refused) => Box::pin(ready(Err(refused))),
        }
    }

    /// Subscribes a client to topics, or as a [`Subscription`] says; the body is its stream. Every
    /// message published from now on is received.
    ///
    /// Refused before anything else is done are more topics than [`HubBuilder::max_topics`], by
    /// default 128, and one with a name longer than [`HubBuilder::topic_bytes`], by default 1 KiB.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use sse_core::{Hub, Joe, ResumeFrom, Subscription};
    ///
    /// let hub = Hub::new(Joe::new());
    /// let body = hub.subscribe("news").await?;
    /// let body = hub.subscribe(Subscription::to("news").resume_from(ResumeFrom::Earliest)).await?;
    /// # drop(body); Ok(()) }
    /// ```
    pub fn subscribe(
        &self,
        subscription: impl Into<Subscription>,
    ) -> BoxFuture<'_, Result<SseBody, SubscribeError>> {
        Box::pin(self.stream(subscription.into()))
    }

    async fn stream(&self, subscription: Subscription) -> Result<SseBody, SubscribeError> {
        let StreamSettings {
            keep_alive,
            send_timeout,
            opening_id,
            spread,
        } = self.streams;
        if (keep_alive.is_some() || send_timeout.is_some()) && WakeTask::lacks_clock() {
            return Err(SubscribeError::NoClock);
        }
        self.limits.check_topics(&subscription.topics)?;
        let on_gap = subscription.on_gap;
        let subscriber = self.provider.subscribe(subscription).await?;
        let reconnect = spread.map(|window| Reconnect {
            window,
            closed: self.closed.subscribe(),
        });
        let body = SseBody::new(subscriber, on_gap)
            .keep_alive(keep_alive)
            .send_timeout(send_timeout)
            .opening_id(opening_id)
            .reconnect(reconnect);
        Ok(body)
    }

    /// Ends every stream cleanly and refuses new ones, so that the framework's own graceful
    /// shutdown finishes.
    ///
    /// An error says that it had been shut down before.
    pub async fn shutdown(&self) -> Result<(), ProviderClosed> {
        self.closed.send_replace(true);
        self.provider.shutdown().await
    }

    /// Waits for Ctrl-C or, on Unix, SIGTERM, then shuts down: the one line that ties a hub to a
    /// server's graceful shutdown. Needs the feature `signal`, which every adapter turns on.
    ///
    /// From the first poll on these signals no longer end the process by themselves, as tokio's
    /// [`signal`](tokio::signal) says.
    ///
    /// # Panics
    ///
    /// Polled on a tokio runtime without its I/O driver, or outside of one.
    ///
    /// ```
    /// # use sse_core::{Hub, Joe};
    /// # let hub = Hub::new(Joe::new());
    /// // axum::serve(listener, app).with_graceful_shutdown(..)
    /// let stopped = hub.shutdown_on_signals();
    /// ```
    #[cfg(feature = "signal")]
    pub fn shutdown_on_signals(&self) -> impl Future<Output = ()> + Send + 'static {
        self.shutdown_on(signals::received())
    }

    /// Waits for a signal of your own, then shuts down. See
    #[cfg_attr(
        feature = "signal",
        doc = "[`shutdown_on_signals`](Self::shutdown_on_signals)"
    )]
    #[cfg_attr(
        not(feature = "signal"),
        doc = "`shutdown_on_signals`, with the feature `signal`,"
    )]
    /// for those of the operating system.
    ///
    /// ```
    /// # use sse_core::{Hub, Joe};
    /// # let hub = Hub::new(Joe::new());
    /// let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    /// // axum::serve(listener, app).with_graceful_shutdown(..)
    /// let stopped = hub.shutdown_on(stopped);
    /// ```
    pub fn shutdown_on<T>(
        &self,
        signal: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = ()> + Send + 'static
    where
        T: Send,
    {
        let hub = self.clone();
        async move {
            signal.await;
            // Somebody else may have been first; the streams end either way.
            let _ = hub.shutdown().await;
        }
    }

    /// Waits until the hub has [ended](Self::closed), and then for `grace`: the limit for a server
    /// whose graceful shutdown has none.
    ///
    /// Most frameworks wait for every connection, so one client that does not read, or that never
    /// finishes its request, would hold up the end of the process for ever. Needs a tokio runtime
    /// with a clock.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # use std::{future::pending, time::Duration};
    /// # use sse_core::{Hub, Joe};
    /// # let hub = Hub::new(Joe::new());
    /// # let server = pending::<()>();
    /// # hub.shutdown().await;
    /// # let grace = Duration::from_millis(1);
    /// // axum::serve(listener, app).with_graceful_shutdown(hub.shutdown_on_signals())
    /// tokio::select! {
    ///     _ = server => {}
    ///     () = hub.closed_for(grace) => {}
    /// }
    /// # }
    /// ```
    pub fn closed_for(&self, grace: Duration) -> impl Future<Output = ()> + Send + 'static {
        let closed = self.closed();
        async move {
            closed.await;
            // pace: this long, as documented
            sleep(grace).await;
        }
    }

    /// Waits until the hub has ended: [`shutdown`](Self::shutdown) was called on any clone, the
    /// last one is gone, or the provider has failed for good. For streams and tasks that should end
    /// with it; it does not keep the hub alive.
    pub fn closed(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut closed = self.closed.subscribe();
        let mut ended = self.provider.closed();
        async move {
            // An error means that every hub is gone, so nobody can publish any more.
            let closed = async { drop(closed.wait_for(|closed| *closed).await) };
            let mut closed = pin!(closed);
            poll_fn(|cx| match closed.as_mut().poll(cx) {
                Poll::Ready(()) => Poll::Ready(()),
                Poll::Pending => ended.as_mut().poll(cx),
            })
            .await;
        }
    }
}
