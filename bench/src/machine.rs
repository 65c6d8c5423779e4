//! The machine: its cores, its disk, and the description of it in a report.

use std::{env, fs, process::Command};

use anyhow::{Context as _, Result, bail};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::clock::real;

/// The cores that the two halves run on.
#[derive(Clone, Copy, Deserialize, Serialize)]
pub(crate) struct Cores {
    pub(crate) server: usize,
    pub(crate) readers: usize,
}

/// Describes the parts of this machine on which figures depend.
pub(crate) fn describe() -> Result<String> {
    let info = fs::read_to_string("/proc/cpuinfo")?;
    let mut models = info
        .lines()
        .filter_map(|line| line.strip_prefix("model name"));
    // All of them: this process may already have been pinned to one.
    let cores = models.clone().count();
    let processor = models.next().unwrap_or("unknown processor");
    let processor = processor.trim_start_matches(['\t', ':', ' ']);
    let memory = real(kibibytes("/proc/meminfo", "MemTotal:")?) / real(1_u64 << 20);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let rustc = Command::new("rustc").arg("--version").output();
    let rustc = rustc.map_or_else(|_| b"unknown rustc".to_vec(), |output| output.stdout);
    let (kernel, rustc) = (kernel.trim(), String::from_utf8_lossy(&rustc));
    Ok(format!(
        "{processor}, {cores} cores, {memory:.1} GiB of memory, Linux {kernel}, {}",
        rustc.trim()
    ))
}

impl Cores {
    /// Takes the first two cores that this process may use.
    pub(crate) fn choose(quick: bool) -> Result<Self> {
        let set = sched_getaffinity(None).context("cannot ask for the permitted cores")?;
        let mut allowed = (0..CpuSet::MAX_CPU).filter(|&core| set.is_set(core));
        match (allowed.next(), allowed.next()) {
            (Some(server), Some(readers)) => Ok(Self { server, readers }),
            // Nobody quotes the figures of a quick run.
            (Some(core), None) if quick => Ok(Self {
                server: core,
                readers: core,
            }),
            _ => bail!(
                "two cores are needed, one for the server and one for its clients; this process may use fewer"
            ),
        }
    }
}

/// Keeps this thread, and the threads that it will start, on these cores.
pub(crate) fn pin(cores: &[usize]) -> Result<()> {
    let mut set = CpuSet::new();
    for core in cores {
        set.set(*core);
    }
    sched_setaffinity(None, &set).with_context(|| format!("cannot stay on the cores {cores:?}"))
}

/// Reads a line of a file of `/proc` such as `VmRSS:  1234 kB`.
pub(crate) fn kibibytes(path: &str, key: &str) -> Result<u64> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
    Ok(number.context("the kernel reports no memory")?.parse()?)
}

/// Makes an empty directory, which is deleted when the returned guard is dropped.
///
/// It is next to the program: the place of temporary files is often memory and no disk.
pub(crate) fn directory() -> Result<TempDir> {
    let program = env::current_exe()?;
    let parent = program.parent().context("the program is in no directory")?;
    tempfile::Builder::new()
        .prefix("store-")
        .tempdir_in(parent)
        .context("cannot make a directory for a store")
}
