//! Opening a large history.

use std::{
    cell::Cell,
    fs::{self, File},
    os::unix::fs::MetadataExt as _,
    path::Path,
};

use anyhow::{Result, ensure};
use rustix::fs::{Advice, fadvise};
use serde::{Deserialize, Serialize};
use sse_core::replay::Replayer as _;

use super::{Task, append::Append, engines::Engine, run_in, spent};
use crate::{
    clock::{Stopwatch, real},
    machine::{self, kibibytes},
    payload::SIZE,
    report::Table,
    rounds::Bench,
};

#[derive(Clone, Copy, Deserialize, Serialize)]
pub(super) struct Open {
    /// The number of messages in the history.
    end: u64,
    /// Opens with nothing of the files in memory.
    cold: bool,
}

pub(super) fn table(bench: &Bench) -> Result<Table> {
    let (full, quick) = ((10_000_000, 300_000, 100_000), (5_000, 1_000, 1_000));
    let (messages, more, topics) = bench.size(full, quick);
    let table = Table::new(
        "store-open",
        "Opening a history on disk",
        format!(
            "sse-store holds {messages} messages of {SIZE} random bytes of data in {topics} topics. A process takes {more} more, 64 at a time, at \
             `Os`, and closes, or kills itself with SIGKILL after the last; then another one opens it and finds all of them. \
             Resident is that process once it is open, and the most while it opened."
        ),
        "open, s; open, CPU, s; resident, MB; resident, most, MB; on disk, bytes per message",
    )
    .subject("before");
    let directory = machine::directory()?;
    let end = Cell::new(0);
    let append = |count: u64, batch, kill| {
        let append = Append {
            engine: Engine::Os,
            topics,
            keep: None,
            batch,
            count,
            // It has to be all.
            seconds: 3_600.0,
            kill,
        };
        run_in(bench, Task::Append(append), directory.path())?;
        end.set(end.get() + count.next_multiple_of(batch));
        anyhow::Ok(())
    };
    let rows = [
        ("closed", (false, false)),
        ("closed, and nothing of it in memory", (false, true)),
        ("killed", (true, false)),
        ("killed, and nothing of it in memory", (true, true)),
    ];
    Ok(bench.fill(table, rows, |&(kill, cold)| {
        if end.get() == 0 {
            append(messages, 1_024, false)?;
        }
        append(more, 64, kill)?;
        let end = end.get();
        run_in(bench, Task::Open(Open { end, cold }), directory.path())
    }))
}

impl Open {
    /// Returns seconds of wall and of CPU time; MB now and at most; bytes on disk for each message.
    pub(super) fn measure(self, directory: &Path) -> Result<[f64; 5]> {
        if self.cold {
            each_file(directory, &mut |file| {
                file.sync_all()?;
                Ok(fadvise(file, 0, None, Advice::DontNeed)?)
            })?;
        }
        let watch = Stopwatch::process();
        let history = Engine::Os.open(directory, None)?;
        let [wall, cpu] = spent(watch);
        let (end, expected) = (history.end().0, self.end);
        ensure!(
            end == expected,
            "{end} messages are there instead of {expected}"
        );
        let mut blocks = 0;
        each_file(directory, &mut |file| {
            blocks += file.metadata()?.blocks();
            Ok(())
        })?;
        let megabytes = |key| anyhow::Ok(real(kibibytes("/proc/self/status", key)?) / 1_024.0);
        let (now, most) = (megabytes("VmRSS:")?, megabytes("VmHWM:")?);
        Ok([wall, cpu, now, most, real(blocks * 512) / real(end)])
    }
}

fn each_file(directory: &Path, look: &mut impl FnMut(&File) -> Result<()>) -> Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            each_file(&entry.path(), look)?;
        } else {
            look(&File::open(entry.path())?)?;
        }
    }
    Ok(())
}
