//! A measurement in a process of its own.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};

use super::{append::Append, open::Open, publish::Publish, read::Read};
use crate::{
    machine::{self, Cores},
    scenarios::Bench,
    scratch,
};

/// What to measure.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(super) enum Task {
    Append(Append),
    Publish(Publish),
    Read(Read),
    Open(Open),
}

/// What the process is told.
#[derive(Debug, Deserialize, Serialize)]
struct Job {
    task: Task,
    directory: PathBuf,
    cores: Cores,
}

impl Task {
    /// Measures in a new directory.
    pub(super) fn run(self, bench: &Bench) -> Result<Vec<f64>> {
        self.run_in(bench, scratch::directory()?.path())
    }

    /// Measures; figures as the task gives them.
    pub(super) fn run_in(self, bench: &Bench, directory: &Path) -> Result<Vec<f64>> {
        let job = Job {
            task: self,
            directory: directory.to_owned(),
            cores: bench.cores,
        };
        let output = Command::new(std::env::current_exe()?)
            .args(["store", &serde_json::to_string(&job)?])
            .output()
            .context("cannot start a process for a store")?;
        let kills_itself = matches!(self, Self::Append(Append { kill: true, .. }));
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success() || kills_itself && output.status.code().is_none(),
            "{self:?} has failed: {errors}"
        );
        serde_json::from_slice(&output.stdout).context("a store said something else than numbers")
    }
}

/// The hidden half: one measurement, whose figures go to stdout.
pub(crate) fn measure(job: &str) -> Result<()> {
    let Job {
        task,
        directory,
        cores,
    } = serde_json::from_str(job)?;
    machine::use_both(cores)?;
    let figures = match task {
        Task::Append(append) => append.measure(&directory)?,
        Task::Publish(publish) => publish.measure(&directory)?,
        Task::Read(read) => read.measure(&directory)?,
        Task::Open(open) => open.measure(&directory)?,
    };
    say(&figures)
}

/// Tells the other half.
pub(super) fn say(figures: &[f64]) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    serde_json::to_writer(&mut stdout, figures)?;
    Ok(stdout.flush()?)
}
