//! The readers, and the questions about them to the binary in which every allocation is counted.
//!
//! Part of both binaries of this crate.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, ScopedJoinHandle},
};

use anyhow::{Result, anyhow, ensure};
use bytes::Bytes;
use futures_util::{FutureExt as _, Stream, StreamExt as _};
use serde::{Deserialize, Serialize};
use sse_core::{Hub, Joe, SseBody, Subscription};
use tokio::{
    runtime::{Builder, Runtime},
    task::yield_now,
};

/// A question to the binary in which every allocation is counted.
#[derive(Clone, Copy, Deserialize, Serialize)]
pub(crate) enum Question {
    /// Asks for the memory of `count` tasks that follow such a stream and wait.
    ///
    /// The answer is bytes allocated, live allocations and resident bytes, of all together; and the
    /// bytes that are allocated after all have read messages, and were not before.
    Memory { stream: Followed, count: usize },
    /// Asks for the bytes that are allocated after `count` subscriptions have come and gone on each
    /// thread, and were not before.
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
    /// This number of topics, each of which has one subscriber that stays.
    Shared(usize),
    /// A topic for each that nobody had before.
    Unique,
}

/// Makes the runtime of one core on which everything here is measured: timers, but no sockets.
pub(crate) fn runtime() -> Result<Runtime> {
    Ok(Builder::new_current_thread().enable_time().build()?)
}

/// Tasks that read, on the current runtime, which must have one thread, and the bytes that they
/// have read.
#[derive(Clone, Default)]
pub(crate) struct Readers(Arc<Counts>);

#[derive(Default)]
struct Counts {
    started: AtomicUsize,
    bytes: AtomicUsize,
}

impl Readers {
    /// The rounds of the runtime without anything read after which no more will be read.
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

    /// Notes that a task has begun and is about to wait.
    pub(crate) fn start(&self) {
        self.0.started.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes that a task has read this number of bytes.
    pub(crate) fn read(&self, bytes: usize) {
        self.0.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts the bytes that all have read together.
    pub(crate) fn bytes(&self) -> usize {
        self.0.bytes.load(Ordering::Relaxed)
    }

    /// Waits until `count` tasks have begun and read everything that was there.
    pub(crate) async fn gather(&self, count: usize) {
        while self.0.started.load(Ordering::Relaxed) < count {
            yield_now().await;
        }
    }

    /// Waits until all together have read this number of bytes. It is an error if they have read
    /// more, or will have read less.
    pub(crate) async fn until(&self, expected: usize) -> Result<()> {
        let (mut seen, mut idle) = (self.bytes(), 0);
        while seen < expected && idle < Self::PATIENCE {
            yield_now().await;
            let now = self.bytes();
            idle = if now == seen { idle + 1 } else { 0 };
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
    /// Makes a hub with the subscribers that stay.
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

    /// Lets `count` subscribers come and go, one after the other, on this thread.
    pub(crate) fn run(&self, runtime: &Runtime, thread: usize, count: usize) -> Result<()> {
        runtime.block_on(async {
            for number in 0..count {
                let topic = match self.spread {
                    Spread::Shared(topics) => format!("topic-{}", number % topics),
                    Spread::Unique => format!("topic-{thread}-{number}"),
                };
                let mut body = self.hub.subscribe(Subscription::to(topic)).await?;
                let first = body.next().await.unwrap_or_default();
                let waits = first.starts_with(b"id: ") && body.next().now_or_never().is_none();
                ensure!(waits, "a new subscriber got other than the first bytes");
            }
            Ok(())
        })
    }
}

/// Works on each item on a new thread; returns the results in the order of the items.
pub(crate) fn on_threads<T: Send, R: Send>(
    items: impl IntoIterator<Item = T>,
    work: impl Fn(usize, T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let work = &work;
    thread::scope(|scope| {
        let items = items.into_iter().enumerate();
        let threads = items.map(|(number, item)| scope.spawn(move || work(number, item)));
        let threads: Vec<_> = threads.collect();
        let results = threads.into_iter().map(ScopedJoinHandle::join);
        results
            .map(|it| it.map_err(|_| anyhow!("a thread has panicked"))?)
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    #[test]
    fn missing_and_doubled_bytes_are_errors() {
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
