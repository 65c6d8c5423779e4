//! Opening a large history: after an orderly end, and after SIGKILL.

use std::{
    cell::Cell,
    fs::{self, File},
    os::unix::fs::MetadataExt as _,
    path::Path,
};

use anyhow::{Context as _, Result, ensure};
use rustix::fs::{Advice, fadvise};
use serde::{Deserialize, Serialize};
use sse_core::replay::Replayer as _;

use super::{
    append::Append,
    history::{Engine, Level, Watch, real},
    task::Task,
};
use crate::{
    in_process::{
        cases::{Case, fill},
        deliveries::SIZE,
        measure::grouped,
    },
    report::Table,
    scenarios::Bench,
    scratch,
};

const ENGINE: Engine = Engine::Store(Level::Os);

/// Opens what is there.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(super) struct Open {
    /// How many messages there are.
    end: u64,
    /// With nothing of its files in memory.
    cold: bool,
}

pub(super) fn table(bench: &Bench) -> Result<Table> {
    let (messages, more, topics) =
        bench.size((10_000_000, 300_000, 100_000), (5_000, 1_000, 1_000));
    let mut table = Table::new(
        "store-open",
        "Opening a history on disk",
        format!(
            "sse-store holds {} messages of {SIZE} random bytes of data in {} topics. A process takes {} more, 64 at a time, at \
             `Os`, and closes, or kills itself with SIGKILL after the last; then another one opens it and finds all of them. \
             Resident is that process once it is open, and the most while it opened.",
            grouped(usize::try_from(messages)?),
            grouped(topics),
            grouped(usize::try_from(more)?)
        ),
    )
    .column("open", "s")
    .column("open, CPU", "s")
    .column("resident", "MB")
    .column("resident, most", "MB")
    .column("on disk", "bytes per message");
    "before".clone_into(&mut table.subject);
    let directory = scratch::directory()?;
    let end = Cell::new(0);
    let append = |count: u64, batch, kill| {
        let append = Append {
            engine: ENGINE,
            topics,
            keep: None,
            batch,
            count,
            // It has to be all.
            seconds: 3_600.0,
            kill,
        };
        Task::Append(append).run_in(bench, directory.path())?;
        end.set(end.get() + count.next_multiple_of(batch));
        anyhow::Ok(())
    };
    let rows = [
        ("closed", false, false),
        ("closed, and nothing of it in memory", false, true),
        ("killed", true, false),
        ("killed, and nothing of it in memory", true, true),
    ];
    let cases = rows.map(|(row, kill, cold)| {
        let (append, end, directory) = (&append, &end, directory.path());
        Case::new(row, move || {
            if end.get() == 0 {
                append(messages, 1_024, false)?;
            }
            append(more, 64, kill)?;
            let end = end.get();
            Task::Open(Open { end, cold }).run_in(bench, directory)
        })
    });
    Ok(fill(bench, table, cases))
}

impl Open {
    /// Seconds, of wall and of CPU time; MB now and at most; bytes on disk for each message.
    pub(super) fn measure(self, directory: &Path) -> Result<Vec<f64>> {
        if self.cold {
            each_file(directory, &mut forget)?;
        }
        let watch = Watch::start();
        let history = ENGINE.open(directory, None)?;
        let (wall, cpu) = (watch.wall(), watch.cpu());
        let end = history.end().0;
        ensure!(
            end == self.end,
            "{end} messages are there instead of {}",
            self.end
        );
        let mut blocks = 0;
        each_file(directory, &mut |file| {
            blocks += file.metadata()?.blocks();
            Ok(())
        })?;
        let (now, most) = (memory("VmRSS:")?, memory("VmHWM:")?);
        Ok(vec![wall, cpu, now, most, real(blocks * 512) / real(end)])
    }
}

/// Lets the system forget what it keeps of a file.
fn forget(file: &File) -> Result<()> {
    file.sync_all()?;
    Ok(fadvise(file, 0, None, Advice::DontNeed)?)
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

/// MB of this process.
fn memory(key: &str) -> Result<f64> {
    let text = fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kibibytes: f64 = number.context("the kernel tells no memory")?.parse()?;
    Ok(kibibytes / 1_024.0)
}
