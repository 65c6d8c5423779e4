//! Tasks that read, and how much they have read.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use anyhow::{Result, ensure};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use tokio::{
    runtime::{Builder, Runtime},
    task::yield_now,
};

/// Readers on the current runtime, which must have one thread.
#[derive(Clone, Debug, Default)]
pub(super) struct Crowd(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    started: AtomicUsize,
    bytes: AtomicUsize,
}

/// The runtime of one core that everything here is measured on: timers, but no sockets to look at.
pub(super) fn runtime() -> Result<Runtime> {
    Ok(Builder::new_current_thread().enable_time().build()?)
}

impl Crowd {
    /// So many turns without anything read mean that nothing will be read.
    const PATIENCE: usize = 1 << 20;

    /// A task that reads a stream to its end.
    pub(super) fn follow(&self, mut stream: impl Stream<Item = Bytes> + Send + Unpin + 'static) {
        let crowd = self.clone();
        tokio::spawn(async move {
            crowd.start();
            while let Some(bytes) = stream.next().await {
                crowd.read(bytes.len());
            }
        });
    }

    /// A task has begun: what it awaits next, it waits for.
    pub(super) fn start(&self) {
        self.0.started.fetch_add(1, Ordering::Relaxed);
    }

    /// A task has read so many bytes.
    pub(super) fn read(&self, bytes: usize) {
        self.0.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// How many bytes all have read together.
    pub(super) fn bytes(&self) -> usize {
        self.0.bytes.load(Ordering::Relaxed)
    }

    /// Waits until so many tasks have begun and read what there was.
    pub(super) async fn gather(&self, count: usize) {
        while self.0.started.load(Ordering::Relaxed) < count {
            yield_now().await;
        }
    }

    /// Waits until so many bytes have been read by all together. An error says that it was more, or will stay less.
    pub(super) async fn until(&self, expected: usize) -> Result<()> {
        let (mut seen, mut turns) = (self.bytes(), 0);
        while seen < expected {
            yield_now().await;
            let now = self.bytes();
            turns = if now == seen { turns + 1 } else { 0 };
            seen = now;
            ensure!(
                turns < Self::PATIENCE,
                "{seen} of {expected} bytes were delivered and no more"
            );
        }
        ensure!(
            seen == expected,
            "{seen} bytes were delivered instead of {expected}"
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    #[test]
    fn what_is_missing_or_doubled_is_an_error() {
        for (expected, is_right) in [(8, true), (9, false), (7, false)] {
            let outcome = runtime().unwrap().block_on(async {
                let crowd = Crowd::default();
                crowd.follow(stream::iter(["four".into(), "more".into()]));
                crowd.gather(1).await;
                crowd.until(expected).await
            });
            assert_eq!(outcome.is_ok(), is_right, "{expected}: {outcome:?}");
        }
    }
}
