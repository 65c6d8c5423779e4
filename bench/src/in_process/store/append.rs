//! How fast a history takes messages, without anybody who reads.

use std::path::Path;

use anyhow::{Result, ensure};
use rustix::process::{Signal, getpid, kill_process};
use serde::{Deserialize, Serialize};
use sse_core::replay::Replayer as _;

use super::{
    history::{Engine, History, Level, Source, Watch, real},
    task::{Task, say},
};
use crate::{
    in_process::{
        cases::{Case, fill},
        deliveries::SIZE,
        measure::grouped,
    },
    report::Table,
    scenarios::Bench,
};

/// Appends to what is there.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(super) struct Append {
    pub(super) engine: Engine,
    pub(super) topics: usize,
    pub(super) keep: Option<u64>,
    pub(super) batch: u64,
    /// Until there are so many more, or until it has taken so many seconds.
    pub(super) count: u64,
    pub(super) seconds: f64,
    /// Kills the process in the end, instead of closing.
    pub(super) kill: bool,
}

/// Messages in a call; one is `put`, more are `put_all`.
const BATCHES: [u64; 3] = [1, 64, 1_024];

pub(super) fn table(bench: &Bench) -> Table {
    let count = bench.size(500_000, 1_024);
    let seconds = bench.size(2.0, 0.02);
    let (many, keep) = bench.size((100_000, 80_000), (1_000, 256));
    let quantity = usize::try_from(count).unwrap_or(usize::MAX);
    let mut table = Table::new(
        "store-append",
        "Appending to a history on disk",
        format!(
            "A new history takes {} messages of {SIZE} random bytes of data, or as many as it can in {seconds} s: by `put`, and by \
             `put_all` with 64 and with 1,024 messages. Each message is for a random one of the topics. `Memory`, `Os` and `Disk` are what \
             an acknowledged message survives: nothing, the end of the process, the end of the machine. With a bound, what is too much is \
             dropped all the time. redb has one transaction for each call, and without sync survives what `Os` does. Wall time until the last \
             call returns; CPU time of all threads until the history is closed.",
            grouped(quantity)
        ),
    )
    .column("one at a time", "thousand/s")
    .column("one at a time, CPU", "µs per message")
    .column("64 at once", "thousand/s")
    .column("64 at once, CPU", "µs per message")
    .column("1,024 at once", "thousand/s")
    .column("1,024 at once, CPU", "µs per message");
    "history".clone_into(&mut table.subject);
    let append = move |engine, topics, keep| Append {
        engine,
        topics,
        keep,
        batch: 1,
        count,
        seconds,
        kill: false,
    };
    let many_topics = format!("{} topics", grouped(many));
    let engines = [Level::Memory, Level::Os, Level::Disk].map(Engine::Store);
    let peers = [false, true].map(|syncs| Engine::Redb { syncs });
    let mut cases = Vec::new();
    for engine in engines.into_iter().chain(peers) {
        for (topics, name) in [(1, "1 topic"), (many, many_topics.as_str())] {
            let row = format!("{engine}, {name}");
            cases.push(case(bench, row, append(engine, topics, None)));
        }
    }
    let bounded = append(Engine::Store(Level::Os), many, Some(keep));
    let name = format!(
        "{}, {many_topics}, at most {} messages",
        bounded.engine,
        grouped(usize::try_from(keep).unwrap_or(usize::MAX))
    );
    cases.push(case(bench, name, bounded));
    fill(bench, table, cases)
}

fn case(bench: &Bench, row: String, append: Append) -> Case<'_> {
    Case::new(row, move || {
        let mut figures = Vec::new();
        for batch in BATCHES {
            figures.extend(Task::Append(Append { batch, ..append }).run(bench)?);
        }
        Ok(figures)
    })
}

impl Append {
    /// Thousand messages per second, and microseconds of CPU time for each.
    pub(super) fn measure(self, directory: &Path) -> Result<Vec<f64>> {
        let history = self.engine.open(directory, self.keep)?;
        let mut source = Source::new(self.topics);
        let before = history.end().0;
        let watch = Watch::start();
        let mut stored = 0;
        while stored < self.count && watch.wall() < self.seconds {
            history.append(&mut source, self.batch, |_, _| stored += 1)?;
        }
        let wall = watch.wall();
        let added = history.end().0 - before;
        ensure!(
            added == stored,
            "{added} messages were stored instead of {stored}"
        );
        self.check_bound(&history, added)?;
        let figures = |watch: Watch| {
            let count = real(stored);
            vec![count / wall / 1e3, watch.cpu() * 1e6 / count]
        };
        if self.kill {
            say(&figures(watch))?;
            kill_process(getpid(), Signal::KILL)?;
        }
        drop(history);
        Ok(figures(watch))
    }

    /// Fails unless about as many messages are left as the bound says.
    ///
    /// A batch may fill a segment with more than an eighth of what is allowed; then seven of them leave no room for
    /// another, and one more is dropped than by single messages: three quarters may be left.
    fn check_bound(&self, history: &History, added: u64) -> Result<()> {
        let (Some(keep), History::Store(store)) = (self.keep, history) else {
            return Ok(());
        };
        let positions = store.positions();
        let kept = positions.end() + 1 - positions.start();
        let most = keep + self.batch;
        let least = added.min(keep - keep / 4).saturating_sub(self.batch);
        ensure!(
            (least..=most).contains(&kept),
            "{kept} messages are kept instead of {least} to {most}"
        );
        Ok(())
    }
}
