//! The machine: its cores, its disk, and the description of it in a report.

use std::{env, fs, process::Command};

use anyhow::{Context as _, Result, bail};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::clock::real;

/// The things that figures depend on.
#[derive(Deserialize, Serialize)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) memory: String,
    pub(crate) kernel: String,
    pub(crate) rustc: String,
}

/// The cores that the two halves run on.
#[derive(Clone, Copy, Deserialize, Serialize)]
pub(crate) struct Cores {
    pub(crate) server: usize,
    pub(crate) readers: usize,
}

impl Machine {
    /// Describes this machine.
    pub(crate) fn this() -> Self {
        let unknown = || "unknown".to_owned();
        let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let models = info.lines().filter(|line| line.starts_with("model name"));
        let mut models = models.filter_map(|line| Some(line.split_once(':')?.1.trim()));
        let memory = kibibytes("/proc/meminfo", "MemTotal:");
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease");
        let rustc = Command::new("rustc").arg("--version").output();
        let text = |output: Vec<u8>| String::from_utf8_lossy(&output).trim().to_owned();
        Self {
            // All of them: this process may have put itself on one already.
            cores: models.clone().count(),
            processor: models.next().map_or_else(unknown, ToOwned::to_owned),
            memory: memory.map_or_else(
                |_| unknown(),
                |kibibytes| format!("{:.1} GiB", real(kibibytes) / real(1_u64 << 20)),
            ),
            kernel: kernel.map_or_else(|_| unknown(), |text| format!("Linux {}", text.trim())),
            rustc: rustc.map_or_else(|_| unknown(), |output| text(output.stdout)),
        }
    }
}

impl Cores {
    /// Takes the first two cores that this process may use.
    pub(crate) fn choose(quick: bool) -> Result<Self> {
        let set = sched_getaffinity(None).context("cannot ask which cores we may use")?;
        let mut allowed = (0..CpuSet::MAX_CPU).filter(|&core| set.is_set(core));
        match (allowed.next(), allowed.next()) {
            (Some(server), Some(readers)) => Ok(Self { server, readers }),
            // Nothing is measured that anybody would quote.
            (Some(server), None) if quick => Ok(Self {
                server,
                readers: server,
            }),
            _ => bail!(
                "two cores are needed, one for the server and one for its clients; \
                 this machine gives us fewer"
            ),
        }
    }

    /// Lets this thread, and those that it will start, use both cores.
    pub(crate) fn use_both(self) -> Result<()> {
        set_cores(&[self.server, self.readers]).context("cannot use two cores")
    }
}

/// Keeps this thread, and those that it will start, on one core.
pub(crate) fn pin(core: usize) -> Result<()> {
    set_cores(&[core]).with_context(|| format!("cannot stay on core {core}"))
}

fn set_cores(cores: &[usize]) -> rustix::io::Result<()> {
    let mut set = CpuSet::new();
    for core in cores {
        set.set(*core);
    }
    sched_setaffinity(None, &set)
}

/// Reads a line of a file of `/proc` such as `VmRSS:  1234 kB`.
pub(crate) fn kibibytes(path: &str, key: &str) -> Result<u64> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
    Ok(number.context("the kernel tells no memory")?.parse()?)
}

/// Makes an empty directory, which is deleted when its guard is dropped.
///
/// Beside the program: where temporary files are is often memory and no disk.
pub(crate) fn directory() -> Result<TempDir> {
    let program = env::current_exe()?;
    let beside = program.parent().context("the program is in no directory")?;
    tempfile::Builder::new()
        .prefix("store-")
        .tempdir_in(beside)
        .context("cannot make a directory for a store")
}
