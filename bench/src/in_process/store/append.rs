//! Appending to a history that nobody reads.

use std::path::Path;

use anyhow::{Result, ensure};
use rustix::process::{Signal, getpid, kill_process};
use serde::{Deserialize, Serialize};
use sse_core::replay::Replayer as _;

use super::{
    Task,
    engines::{
        Engine::{self, Disk, Memory, Os, Redb, RedbSynced},
        History, Source,
    },
    run, say, spent,
};
use crate::{
    clock::{Stopwatch, real},
    payload::SIZE,
    report::Table,
    rounds::Bench,
};

#[derive(Clone, Copy, Deserialize, Serialize)]
pub(super) struct Append {
    pub(super) engine: Engine,
    pub(super) topics: usize,
    /// The number of messages that the history keeps; all without it.
    pub(super) keep: Option<u64>,
    pub(super) batch: u64,
    /// The number of messages to append, unless that takes longer than this many seconds.
    pub(super) count: u64,
    pub(super) seconds: f64,
    /// Kills the process in the end, instead of closing the history.
    pub(super) kill: bool,
}

pub(super) fn table(bench: &Bench) -> Table {
    let count = bench.size(500_000, 1_024);
    let seconds = bench.size(2.0, 0.02);
    let (many, keep) = bench.size((100_000, 80_000), (1_000, 256));
    let table = Table::new(
        "store-append",
        "Appending to a history on disk",
        format!(
            "A new history takes {count} messages of {SIZE} random bytes of data, or as many as it can in {seconds} s: by `append` \
             with 1, 64 and 1,024 messages. Each message is for a random one of the topics. `Memory`, `Os` and `Disk` are what \
             an acknowledged message survives: nothing, the end of the process, the end of the machine. With a bound, messages beyond it are \
             dropped all the time. redb has one transaction for each call, and without sync survives what `Os` does. Wall time until the last \
             call returns; CPU time of all threads until the history is closed."
        ),
        "one at a time, thousand/s; one at a time, CPU, µs per message; 64 at once, thousand/s; \
         64 at once, CPU, µs per message; 1,024 at once, thousand/s; 1,024 at once, CPU, µs per message",
    )
    .subject("history");
    let append = |engine, topics, keep| Append {
        engine,
        topics,
        keep,
        batch: 1,
        count,
        seconds,
        kill: false,
    };
    let topics = format!("{many} topics");
    let mut rows = Vec::new();
    for engine in [Memory, Os, Disk, Redb, RedbSynced] {
        rows.push((format!("{engine}, 1 topic"), append(engine, 1, None)));
        rows.push((format!("{engine}, {topics}"), append(engine, many, None)));
    }
    let name = format!("{Os}, {topics}, at most {keep} messages");
    rows.push((name, append(Os, many, Some(keep))));
    bench.fill(table, rows, |append| {
        let mut figures = Vec::new();
        for batch in [1, 64, 1_024] {
            figures.extend(run(bench, Task::Append(Append { batch, ..*append }))?);
        }
        Ok(figures)
    })
}

impl Append {
    /// Returns thousand messages per second, and microseconds of CPU time for each.
    pub(super) fn measure(self, directory: &Path) -> Result<[f64; 2]> {
        let history = self.engine.open(directory, self.keep)?;
        let mut source = Source::new(self.topics);
        let before = history.end().0;
        let watch = Stopwatch::process();
        let mut stored = 0;
        while stored < self.count && spent(watch)[0] < self.seconds {
            history.append(&mut source, self.batch, |_, _| stored += 1)?;
        }
        let [wall, _] = spent(watch);
        let added = history.end().0 - before;
        ensure!(
            added == stored,
            "{added} messages were stored instead of {stored}"
        );
        self.check_bound(&history, added)?;
        let count = real(stored);
        let figures = || [count / wall / 1e3, spent(watch)[1] * 1e6 / count];
        if self.kill {
            say(&figures())?;
            kill_process(getpid(), Signal::KILL)?;
        }
        drop(history);
        Ok(figures())
    }

    /// Fails unless about as many messages are left as the bound says.
    ///
    /// A batch may fill a segment with more than an eighth of the permitted size; then seven of
    /// them leave no room for another, and one more is dropped than by single messages: three
    /// quarters may be left.
    fn check_bound(&self, history: &History, added: u64) -> Result<()> {
        if let (Some(keep), Some(store)) = (self.keep, &history.store) {
            let positions = store.positions();
            let kept = positions.end() + 1 - positions.start();
            let most = keep + self.batch;
            let least = added.min(keep - keep / 4).saturating_sub(self.batch);
            let is_right = (least..=most).contains(&kept);
            ensure!(
                is_right,
                "{kept} messages are kept instead of {least} to {most}"
            );
        }
        Ok(())
    }
}
