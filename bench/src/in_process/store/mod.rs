//! A history on disk: the cost of writing, reading and opening it.
//!
//! Each measurement is a separate process, which may use two cores: a store has its own threads,
//! and the memory that it leaves behind would become that of the next one.

mod append;
mod engines;
mod open;
mod publish;
mod read;
mod redb;

use std::{
    env,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

use self::{append::Append, open::Open, publish::Publish, read::Read};
use crate::{
    clock::Stopwatch,
    machine::{self, Cores},
    process,
    report::Table,
    rounds::Bench,
};

pub(crate) fn store(bench: &Bench) -> Result<Vec<Table>> {
    Ok(vec![
        append::table(bench),
        publish::table(bench),
        read::table(bench),
        open::table(bench)?,
    ])
}

/// The order to a process that measures once.
#[derive(Deserialize, Serialize)]
struct Job {
    task: Task,
    directory: PathBuf,
    cores: Cores,
}

#[derive(Clone, Copy, Deserialize, Serialize)]
enum Task {
    Append(Append),
    Publish(Publish),
    Read(Read),
    Open(Open),
}

/// Measures in a new process, with a new directory.
fn run(bench: &Bench, task: Task) -> Result<Vec<f64>> {
    run_in(bench, task, machine::directory()?.path())
}

/// Measures in a new process; returns the figures of the task.
fn run_in(bench: &Bench, task: Task, directory: &Path) -> Result<Vec<f64>> {
    let (directory, cores) = (directory.to_owned(), bench.cores);
    let kills_itself = matches!(task, Task::Append(append) if append.kill);
    let job = Job {
        task,
        directory,
        cores,
    };
    let mut program = Command::new(env::current_exe()?);
    let program = program.args(["store", &serde_json::to_string(&job)?]);
    process::figures(program, kills_itself)
}

/// Measures once, in this process; the figures go to stdout.
pub(crate) fn measure(job: &str) -> Result<()> {
    let job: Job = serde_json::from_str(job)?;
    machine::pin(&[job.cores.server, job.cores.readers])?;
    let figures: Vec<f64> = match job.task {
        Task::Append(append) => append.measure(&job.directory)?.into(),
        Task::Publish(publish) => publish.measure(&job.directory)?.into(),
        Task::Read(read) => read.measure(&job.directory)?.into(),
        Task::Open(open) => open.measure(&job.directory)?.into(),
    };
    say(&figures)
}

/// Writes figures to the process that asked for them.
fn say(figures: &[f64]) -> Result<()> {
    let mut stdout = io::stdout().lock();
    serde_json::to_writer(&mut stdout, figures)?;
    Ok(stdout.flush()?)
}

/// Returns the seconds of wall time, and of CPU time of all threads, since the start.
fn spent(watch: Stopwatch) -> [f64; 2] {
    watch.spent().each(1_000_000_000)
}

fn check_read(read: usize, expected: usize) -> Result<()> {
    ensure!(
        read == expected,
        "{read} bytes were read instead of {expected}"
    );
    Ok(())
}
