//! Publishing through Joe into a new history.

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use sse_core::{Joe, Subscription, Topics, provider::Provider as _};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use super::{
    Task, check_read,
    engines::{Engine, Source},
    run, spent,
};
use crate::{
    clock::{self, Latencies, Stopwatch, real, seconds},
    in_process::{
        deliveries::message,
        readers::{Readers, runtime},
    },
    payload::SIZE,
    report::Table,
    rounds::Bench,
};

#[derive(Clone, Copy, Deserialize, Serialize)]
pub(super) struct Publish {
    engine: Engine,
    publishers: usize,
    /// The messages of all publishers together, unless that takes longer than this many seconds.
    count: usize,
    seconds: f64,
}

pub(super) fn table(bench: &Bench) -> Table {
    let count = bench.size(200_000, 640);
    let seconds = bench.size(2.0, 0.02);
    let table = Table::new(
        "store-publish",
        "Publishing into a history on disk",
        format!(
            "Tasks of one thread publish {count} messages of {SIZE} random bytes of data to one topic through `Joe`, or as many as they can in \
             {seconds} s, each the next one when its last is out: stored, and delivered to one subscriber, which reads all of them. CPU time is \
             that of all threads."
        ),
        "published, thousand/s; CPU, µs per message; publish p50, µs; publish p99, µs",
    )
    .subject("history");
    let mut rows = Vec::new();
    for engine in [Engine::Finite, Engine::Memory, Engine::Os, Engine::Disk] {
        for (publishers, noun) in [(1, "publisher"), (64, "publishers")] {
            let name = format!("{engine}, {publishers} {noun}");
            rows.push((name, (engine, publishers)));
        }
    }
    bench.fill(table, rows, |&(engine, publishers)| {
        let publish = Publish {
            engine,
            publishers,
            count,
            seconds,
        };
        run(bench, Task::Publish(publish))
    })
}

/// The messages that the publishers send, and the account of those that they have sent.
struct Progress {
    source: Source,
    calls: Latencies,
    /// The bytes that the subscriber has to read.
    wire: usize,
}

impl Publish {
    /// Returns thousand messages per second, microseconds of CPU time for each, and median and 99th
    /// percentile of a call.
    pub(super) fn measure(self, directory: &Path) -> Result<[f64; 4]> {
        runtime()?.block_on(self.publish_all(directory))
    }

    async fn publish_all(self, directory: &Path) -> Result<[f64; 4]> {
        // Besides the messages that are counted there may be one of each publisher.
        let keep = u64::try_from(self.count + self.publishers)?;
        let replayer = self.engine.open(directory, Some(keep * 2))?;
        let source = Source::new(1);
        let topics = source.topics[0].clone();
        let joe = Arc::new(Joe::builder().replayer(replayer).build());
        let progress = Arc::new(Mutex::new(Progress {
            source,
            calls: clock::latencies()?,
            wire: 0,
        }));
        let readers = Readers::default();
        let subscription = Subscription::to(topics.clone());
        readers.follow(joe.subscribe(subscription).await?);
        readers.gather(1).await;
        let watch = Stopwatch::process();
        let mut publishers = JoinSet::new();
        for _ in 0..self.publishers {
            let (joe, progress) = (Arc::clone(&joe), Arc::clone(&progress));
            publishers.spawn(self.publish(joe, progress, topics.clone(), watch));
        }
        while let Some(ended) = publishers.join_next().await {
            ended??;
        }
        let [wall, _] = spent(watch);
        let expected = lock(&progress).wire;
        let deadline = Instant::now() + Duration::from_secs(10);
        while readers.bytes() < expected && Instant::now() < deadline {
            // pace: the bytes come from other threads.
            sleep(Duration::from_millis(1)).await;
        }
        check_read(readers.bytes(), expected)?;
        let [_, cpu] = spent(watch);
        let progress = lock(&progress);
        let count = real(progress.calls.len());
        let call = |quantile| seconds(progress.calls.value_at_quantile(quantile)) * 1e6;
        Ok([count / wall / 1e3, cpu * 1e6 / count, call(0.5), call(0.99)])
    }

    /// Publishes as one of the publishers.
    async fn publish(
        self,
        joe: Arc<Joe>,
        progress: Arc<Mutex<Progress>>,
        topics: Topics,
        watch: Stopwatch,
    ) -> Result<()> {
        for _ in 0..self.count / self.publishers {
            if spent(watch)[0] > self.seconds {
                break;
            }
            let next = lock(&progress).source.message();
            let before = clock::now();
            let published = joe.publish(next, topics.clone()).await?;
            let time = clock::now() - before;
            let id = published.id;
            let id = id.context("a replayer gives every message an id")?;
            let mut progress = lock(&progress);
            progress.calls.saturating_record(time);
            progress.wire += message().to_bytes().len() + "id: \n".len() + id.as_str().len();
        }
        Ok(())
    }
}

fn lock(progress: &Mutex<Progress>) -> MutexGuard<'_, Progress> {
    progress.lock().unwrap_or_else(PoisonError::into_inner)
}
