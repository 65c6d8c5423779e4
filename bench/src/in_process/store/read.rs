//! Reading a history that was opened anew.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize};
use sse_core::{Joe, ResumeFrom, Subscription, provider::Provider as _, replay::{Cursor, Replayer as _}, resume::Outcome};

use super::{
    history::{Engine, History, Level, Source, Watch, real},
    task::Task,
};
use crate::{
    in_process::{
        cases::{Case, fill},
        crowd::runtime,
        deliveries::SIZE,
        measure::grouped,
    },
    report::Table,
    scenarios::Bench,
};

/// Fills a history and reads it.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(super) struct Read {
    engine: Engine,
    messages: u64,
    topics: usize,
    /// How many of the topics are read, one after the other.
    readers: usize,
}

/// How the history is filled.
const BATCH: u64 = 1_024;

pub(super) fn table(bench: &Bench) -> Table {
    let messages = bench.size(1_024_000, 2_048);
    let topics = bench.size(1_000, 10);
    let readers = bench.size(500, 5);
    let mut table = Table::new(
        "store-read",
        "Reading a history on disk",
        format!(
            "A history takes {} messages of {SIZE} random bytes of data to random ones of its topics, and is closed and opened, unless it is \
             in memory. Then a subscriber of `Joe` reads everything of one topic; with several topics, {readers} subscribers read one \
             after the other, each another topic. What the system keeps of files is in memory. Pages: the same once more, by \
             `Replayer::page`, without `Joe` and his threads.",
            grouped(usize::try_from(messages).unwrap_or(usize::MAX))
        ),
    )
    .column("read", "million messages/s")
    .column("read, CPU", "ns per message")
    .column("read", "MB/s")
    .column("pages", "million messages/s")
    .column("pages, CPU", "ns per message");
    "history".clone_into(&mut table.subject);
    let engines = [
        Engine::Finite,
        Engine::Store(Level::Os),
        Engine::Redb { syncs: false },
    ];
    let mut cases = Vec::new();
    for engine in engines {
        for (topics, readers) in [(1, 1), (topics, readers)] {
            let read = Read {
                engine,
                messages,
                topics,
                readers,
            };
            let plural = if topics == 1 { "" } else { "s" };
            let row = format!("{engine}, {} topic{plural}", grouped(topics));
            cases.push(Case::new(row, move || Task::Read(read).run(bench)));
        }
    }
    fill(bench, table, cases)
}

/// What a topic has.
#[derive(Clone, Copy, Debug, Default)]
struct Content {
    messages: u64,
    bytes: usize,
}

impl Read {
    /// Through Joe: million messages per second, nanoseconds of CPU time for each, MB per second; and pages: the first two.
    pub(super) fn measure(self, directory: &Path) -> Result<Vec<f64>> {
        let mut history = self.engine.open(directory, None)?;
        let mut source = Source::new(self.topics);
        let mut contents = vec![Content::default(); self.topics];
        for _ in 0..self.messages / BATCH {
            history.append(&mut source, BATCH, |topic, bytes| {
                contents[topic].messages += 1;
                contents[topic].bytes += bytes;
            })?;
        }
        if self.engine != Engine::Finite {
            drop(history);
            history = self.engine.open(directory, None)?;
        }
        contents.truncate(self.readers);
        let messages = real(contents.iter().map(|it| it.messages).sum());
        let bytes: usize = contents.iter().map(|it| it.bytes).sum();

        let joe = Joe::builder().replayer(history.clone()).build();
        let watch = Watch::start();
        runtime()?.block_on(read_through(&joe, &source, &contents))?;
        let (wall, cpu) = (watch.wall(), watch.cpu());
        let watch = Watch::start();
        read_pages(&history, &source, &contents)?;
        let (pages_wall, pages_cpu) = (watch.wall(), watch.cpu());
        Ok(vec![
            messages / wall / 1e6,
            cpu * 1e9 / messages,
            real(u64::try_from(bytes)?) / wall / 1e6,
            messages / pages_wall / 1e6,
            pages_cpu * 1e9 / messages,
        ])
    }
}

async fn read_through(joe: &Joe, source: &Source, contents: &[Content]) -> Result<()> {
    for (topics, content) in source.topics.iter().zip(contents) {
        let subscription = Subscription::to(topics.clone()).resume_from(ResumeFrom::Earliest);
        let mut subscriber = joe.subscribe(subscription).await?;
        ensure!(
            subscriber.outcome() == Outcome::Recovered,
            "there is no history"
        );
        let mut read = 0;
        while read < content.bytes {
            let bytes = subscriber.next().await.context("the stream has ended")?;
            read += bytes.len();
        }
        check(read, content)?;
    }
    Ok(())
}

fn read_pages(history: &History, source: &Source, contents: &[Content]) -> Result<()> {
    let end = history.end();
    for (topics, content) in source.topics.iter().zip(contents) {
        let (mut read, mut from) = (0, Cursor::EARLIEST);
        while from.after < end {
            let page = history.page(from, end, topics)?;
            read += page.bytes.len();
            from = page.next;
        }
        check(read, content)?;
    }
    Ok(())
}

fn check(read: usize, content: &Content) -> Result<()> {
    let expected = content.bytes;
    ensure!(
        read == expected,
        "{read} bytes were read instead of {expected}"
    );
    Ok(())
}
