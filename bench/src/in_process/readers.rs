//! The readers, and what the binary in which every allocation is counted is asked about them.
//!
//! Part of both binaries of this crate.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use anyhow::{Result, ensure};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use serde::{Deserialize, Serialize};
use sse_core::{Hub, Joe, SseBody, Subscription};
use tokio::{
    runtime::{Builder, Runtime},
    task::yield_now,
};

/// A question to the binary in which every allocation is counted.
#[derive(Clone, Copy, Deserialize, Serialize)]
pub(crate) enum Question {
    /// The memory of `count` tasks that follow such a stream and wait.
    ///
    /// Answered by bytes allocated, live allocations and resident bytes, all together; and by the
    /// bytes that are allocated after messages have been read by everyone, and were not before.
    Memory { stream: Followed, count: usize },
    /// Answered by the bytes that are allocated after `count` subscriptions have come and gone on
    /// each thread, and were not before.
    Churn {
        spread: Spread,
        threads: usize,
        count: usize,
    },
}

/// The stream that tasks follow.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum Followed {
    /// A stream that is never ready: the tasks alone.
    Nothing,
    Subscriber,
    Body,
    BodyWithoutKeepAlive,
    BodyWithOwnTopic,
    BodyWithTwoTopics,
}

/// The topics of subscriptions that come and go.
#[derive(Clone, Copy, Deserialize, Serialize)]
pub(crate) enum Spread {
    /// So many topics, each of which has one subscriber that stays.
    Shared(usize),
    /// Each has a topic that nobody had before.
    Unique,
}

/// The runtime of one core that everything here is measured on: timers, but no sockets to look at.
pub(crate) fn runtime() -> Result<Runtime> {
    Ok(Builder::new_current_thread().enable_time().build()?)
}

/// Tasks that read, on the current runtime, which must have one thread, and the amount that they
/// have read.
#[derive(Clone, Default)]
pub(crate) struct Readers(Arc<Counts>);

#[derive(Default)]
struct Counts {
    started: AtomicUsize,
    bytes: AtomicUsize,
}

impl Readers {
    /// The number of turns without anything read after which nothing more will be read.
    const PATIENCE: usize = 1 << 20;

    /// Starts a task that reads a stream to its end.
    pub(crate) fn follow(&self, mut stream: impl Stream<Item = Bytes> + Send + Unpin + 'static) {
        let readers = self.clone();
        tokio::spawn(async move {
            readers.start();
            while let Some(bytes) = stream.next().await {
                readers.read(bytes.len());
            }
        });
    }

    /// Says that a task has begun: what it awaits next, it waits for.
    pub(crate) fn start(&self) {
        self.0.started.fetch_add(1, Ordering::Relaxed);
    }

    /// Says that a task has read so many bytes.
    pub(crate) fn read(&self, bytes: usize) {
        self.0.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts the bytes that all have read together.
    pub(crate) fn bytes(&self) -> usize {
        self.0.bytes.load(Ordering::Relaxed)
    }

    /// Waits until `count` tasks have begun and read what there was.
    pub(crate) async fn gather(&self, count: usize) {
        while self.0.started.load(Ordering::Relaxed) < count {
            yield_now().await;
        }
    }

    /// Waits until all together have read this number of bytes. An error says that it was more, or
    /// will stay less.
    pub(crate) async fn until(&self, expected: usize) -> Result<()> {
        let (mut seen, mut turns) = (self.bytes(), 0);
        while seen < expected && turns < Self::PATIENCE {
            yield_now().await;
            let now = self.bytes();
            turns = if now == seen { turns + 1 } else { 0 };
            seen = now;
        }
        ensure!(
            seen == expected,
            "{seen} bytes were delivered instead of {expected}"
        );
        Ok(())
    }
}

/// A hub to which subscribers come, and from which they go.
pub(crate) struct Turnover {
    hub: Hub,
    spread: Spread,
    _residents: Vec<SseBody>,
}

impl Turnover {
    /// A hub with the subscribers that stay.
    pub(crate) fn new(spread: Spread) -> Result<Self> {
        let hub = Hub::new(Joe::new());
        let mut residents = Vec::new();
        if let Spread::Shared(topics) = spread {
            runtime()?.block_on(async {
                for topic in 0..topics {
                    let subscription = Subscription::to(format!("topic-{topic}"));
                    residents.push(hub.subscribe(subscription).await?);
                }
                anyhow::Ok(())
            })?;
        }
        Ok(Self {
            hub,
            spread,
            _residents: residents,
        })
    }

    /// Lets `count` come and go, one after the other, on this thread.
    pub(crate) fn run(&self, runtime: &Runtime, thread: usize, count: usize) -> Result<()> {
        runtime.block_on(async {
            for number in 0..count {
                let topic = match self.spread {
                    Spread::Shared(topics) => format!("topic-{}", number % topics),
                    Spread::Unique => format!("topic-{thread}-{number}"),
                };
                let mut body = self.hub.subscribe(Subscription::to(topic)).await?;
                let waits = std::future::poll_fn(|cx| Poll::Ready(is_waiting(&mut body, cx))).await;
                ensure!(
                    waits,
                    "a new subscriber was given something else than the first bytes"
                );
            }
            Ok(())
        })
    }
}

/// Tells whether there were the first bytes and nothing after them.
fn is_waiting(body: &mut SseBody, cx: &mut Context<'_>) -> bool {
    let first = Pin::new(&mut *body).poll_next(cx);
    matches!(first, Poll::Ready(Some(bytes)) if bytes.starts_with(b"id: "))
        && Pin::new(body).poll_next(cx).is_pending()
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    #[test]
    fn what_is_missing_or_doubled_is_an_error() {
        for (expected, is_right) in [(8, true), (9, false), (7, false)] {
            let outcome = runtime().unwrap().block_on(async {
                let readers = Readers::default();
                readers.follow(stream::iter(["four".into(), "more".into()]));
                readers.gather(1).await;
                readers.until(expected).await
            });
            assert_eq!(outcome.is_ok(), is_right, "{expected}: {outcome:?}");
        }
    }
}
