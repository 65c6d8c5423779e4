//! Filling a history, opening it again and reading it.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize};
use sse_core::{
    Joe, ResumeFrom, Subscription,
    provider::Provider as _,
    replay::{Blocking, Cursor, Replayer as _},
    resume::Outcome,
};

use super::{
    Task, check_read,
    engines::{Engine, History, Source},
    run, spent,
};
use crate::{
    clock::{Stopwatch, real},
    in_process::readers::runtime,
    payload::SIZE,
    report::Table,
    rounds::Bench,
};

#[derive(Clone, Copy, Deserialize, Serialize)]
pub(super) struct Read {
    engine: Engine,
    messages: u64,
    topics: usize,
    /// The number of topics that are read, one after the other.
    readers: usize,
}

/// The number of messages in a call while the history is filled.
const BATCH: u64 = 1_024;

pub(super) fn table(bench: &Bench) -> Table {
    let messages = bench.size(1_024_000, 2_048);
    let (topics, readers) = bench.size((1_000, 500), (10, 5));
    let table = Table::new(
        "store-read",
        "Reading a history on disk",
        format!(
            "A history takes {messages} messages of {SIZE} random bytes of data to random ones of its topics, and is closed and opened, unless it is \
             in memory. Then a subscriber of `Joe` reads everything of one topic; with several topics, {readers} subscribers read one \
             after the other, each another topic. What the system keeps of files is in memory. Pages: the same once more, by \
             `Replayer::page`, without `Joe` and its threads."
        ),
        "read, million messages/s; read, CPU, ns per message; read, MB/s; pages, million messages/s; \
         pages, CPU, ns per message",
    )
    .subject("history");
    let mut rows = Vec::new();
    for engine in [Engine::Finite, Engine::Os, Engine::Redb] {
        rows.push((format!("{engine}, 1 topic"), (engine, 1, 1)));
        let name = format!("{engine}, {topics} topics");
        rows.push((name, (engine, topics, readers)));
    }
    bench.fill(table, rows, |&(engine, topics, readers)| {
        let read = Read {
            engine,
            messages,
            topics,
            readers,
        };
        run(bench, Task::Read(read))
    })
}

/// The messages of a topic and their bytes.
type Content = (u64, usize);

impl Read {
    /// Returns, through Joe, million messages per second, nanoseconds of CPU time for each and MB
    /// per second; and the first two for pages.
    pub(super) fn measure(self, directory: &Path) -> Result<[f64; 5]> {
        let mut history = self.engine.open(directory, None)?;
        let mut source = Source::new(self.topics);
        let mut contents: Vec<Content> = vec![(0, 0); self.topics];
        for _ in 0..self.messages / BATCH {
            history.append(&mut source, BATCH, |topic, bytes| {
                contents[topic].0 += 1;
                contents[topic].1 += bytes;
            })?;
        }
        if self.engine != Engine::Finite {
            drop(history);
            history = self.engine.open(directory, None)?;
        }
        contents.truncate(self.readers);
        let messages = real(contents.iter().map(|it| it.0).sum::<u64>());
        let bytes = real(contents.iter().map(|it| it.1).sum::<usize>());

        let joe = Joe::builder().replayer(history.clone()).build();
        let watch = Stopwatch::process();
        runtime()?.block_on(read_through(&joe, &source, &contents))?;
        let [wall, cpu] = spent(watch);
        let watch = Stopwatch::process();
        read_pages(&history, &source, &contents)?;
        let [pages_wall, pages_cpu] = spent(watch);
        Ok([
            messages / wall / 1e6,
            cpu * 1e9 / messages,
            bytes / wall / 1e6,
            messages / pages_wall / 1e6,
            pages_cpu * 1e9 / messages,
        ])
    }
}

async fn read_through(joe: &Joe, source: &Source, contents: &[Content]) -> Result<()> {
    for (topics, &(_, expected)) in source.topics.iter().zip(contents) {
        let subscription = Subscription::to(topics.clone()).resume_from(ResumeFrom::Earliest);
        let mut subscriber = joe.subscribe(subscription).await?;
        let is_recovered = subscriber.outcome() == Outcome::Recovered;
        ensure!(is_recovered, "there is no history");
        let mut read = 0;
        while read < expected {
            let bytes = subscriber.next().await;
            read += bytes.context("the stream has ended")?.len();
        }
        check_read(read, expected)?;
    }
    Ok(())
}

fn read_pages(history: &History, source: &Source, contents: &[Content]) -> Result<()> {
    let end = history.end();
    for (topics, &(_, expected)) in source.topics.iter().zip(contents) {
        let (mut read, mut from) = (0, Cursor::EARLIEST);
        while from.after < end {
            let page = history.page(from, end, topics, Blocking::Allowed)?;
            read += page.bytes.len();
            from = page.next;
        }
        check_read(read, expected)?;
    }
    Ok(())
}
