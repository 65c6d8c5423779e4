//! Publishing through Joe into a history on disk.

use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};
use sse_core::{Joe, Subscription, Topics, provider::Provider as _};
use tokio::{task::JoinSet, time};

use super::{
    history::{Engine, Level, Source, Watch},
    task::Task,
};
use crate::{
    clock,
    in_process::{
        cases::{Case, fill},
        crowd::{Crowd, runtime},
        deliveries::{SIZE, wire_size},
        measure::{grouped, real},
    },
    latencies::Latencies,
    report::Table,
    scenarios::Bench,
};

/// Publishes into a new history.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(super) struct Publish {
    engine: Engine,
    publishers: usize,
    /// All together, unless that takes longer than so many seconds.
    count: usize,
    seconds: f64,
}

pub(super) fn table(bench: &Bench) -> Table {
    let count = bench.size(200_000, 640);
    let seconds = bench.size(2.0, 0.02);
    let mut table = Table::new(
        "store-publish",
        "Publishing into a history on disk",
        format!(
            "Tasks of one thread publish {} messages of {SIZE} random bytes of data to one topic through `Joe`, or as many as they can in \
             {seconds} s, each the next one when its last is out: stored, and delivered to one subscriber, who reads all of them. CPU time is \
             that of all threads.",
            grouped(count)
        ),
    )
    .column("published", "thousand/s")
    .column("CPU", "µs per message")
    .column("publish p50", "µs")
    .column("publish p99", "µs");
    "history".clone_into(&mut table.subject);
    let engines = [
        Engine::Finite,
        Engine::Store(Level::Memory),
        Engine::Store(Level::Os),
        Engine::Store(Level::Disk),
    ];
    let mut cases = Vec::new();
    for engine in engines {
        for publishers in [1, 64] {
            let plural = if publishers == 1 { "" } else { "s" };
            let publish = Publish {
                engine,
                publishers,
                count,
                seconds,
            };
            let row = format!("{engine}, {publishers} publisher{plural}");
            cases.push(Case::new(row, move || Task::Publish(publish).run(bench)));
        }
    }
    fill(bench, table, cases)
}

/// What the publishers have in common.
struct Shared {
    joe: Joe,
    source: Mutex<Source>,
    calls: Mutex<Latencies>,
    published: AtomicUsize,
    /// Bytes that the subscriber has to read.
    wire: AtomicUsize,
}

impl Publish {
    /// Thousand messages per second, microseconds of CPU time for each, and median and 99th percentile of a call.
    pub(super) fn measure(self, directory: &Path) -> Result<Vec<f64>> {
        // Beside the publishers there is one message of each.
        let keep = u64::try_from(self.count + self.publishers)?;
        let replayer = self.engine.open(directory, Some(keep * 2))?;
        runtime()?.block_on(async {
            let shared = Arc::new(Shared {
                joe: Joe::builder().replayer(replayer).build(),
                source: Mutex::new(Source::new(1)),
                calls: Mutex::new(Latencies::new()?),
                published: AtomicUsize::new(0),
                wire: AtomicUsize::new(0),
            });
            let topics = shared.source(|source| source.topics[0].clone());
            let crowd = Crowd::default();
            let subscription = Subscription::to(topics.clone());
            crowd.follow(shared.joe.subscribe(subscription).await?);
            crowd.gather(1).await;
            let watch = Watch::start();
            let mut publishers = JoinSet::new();
            for _ in 0..self.publishers {
                publishers.spawn(publish(self, Arc::clone(&shared), topics.clone(), watch));
            }
            while let Some(ended) = publishers.join_next().await {
                ended??;
            }
            let wall = watch.wall();
            read(&crowd, shared.wire.load(Ordering::Relaxed)).await?;
            let cpu = watch.cpu();
            let count = real(shared.published.load(Ordering::Relaxed));
            let calls = shared.calls.lock().unwrap_or_else(PoisonError::into_inner);
            let [p50, p99] = [calls.p50(), calls.p99()].map(|time| clock::seconds(time) * 1e6);
            Ok(vec![count / wall / 1e3, cpu * 1e6 / count, p50, p99])
        })
    }
}

async fn publish(
    publish: Publish,
    shared: Arc<Shared>,
    topics: Topics,
    watch: Watch,
) -> Result<()> {
    for _ in 0..publish.count / publish.publishers {
        if watch.wall() > publish.seconds {
            break;
        }
        let message = shared.source(Source::message);
        let before = clock::now();
        let published = shared.joe.publish(message, topics.clone()).await?;
        let time = clock::now() - before;
        let mut calls = shared.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.record(time, 1);
        let id = published
            .id
            .context("a replayer gives every message an id")?;
        let wire = wire_size() + "id: \n".len() + id.as_str().len();
        shared.wire.fetch_add(wire, Ordering::Relaxed);
        shared.published.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

/// Waits until the subscriber has read so many bytes.
async fn read(crowd: &Crowd, expected: usize) -> Result<()> {
    let deadline = time::Instant::now() + Duration::from_secs(10);
    while crowd.bytes() < expected && time::Instant::now() < deadline {
        // pace: what is read comes from other threads.
        time::sleep(Duration::from_millis(1)).await;
    }
    let read = crowd.bytes();
    ensure!(
        read == expected,
        "{read} bytes were read instead of {expected}"
    );
    Ok(())
}

impl Shared {
    fn source<T>(&self, take: impl FnOnce(&mut Source) -> T) -> T {
        take(&mut self.source.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
