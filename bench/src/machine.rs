//! The machine: its cores, and what it is called in a report.

use std::{fs, process::Command};

use anyhow::{Context as _, Result, bail};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use serde::{Deserialize, Serialize};

/// What the figures depend on.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) memory: String,
    pub(crate) kernel: String,
    pub(crate) rustc: String,
}

/// Who runs where.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct Cores {
    pub(crate) server: usize,
    pub(crate) readers: usize,
}

impl Machine {
    /// This machine.
    pub(crate) fn this() -> Self {
        let unknown = || "unknown".to_owned();
        let line = |path: &str, key: &str| {
            let text = fs::read_to_string(path).ok()?;
            let line = text.lines().find(|line| line.starts_with(key))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        };
        let rustc = Command::new("rustc").arg("--version").output().ok();
        Self {
            processor: line("/proc/cpuinfo", "model name").unwrap_or_else(unknown),
            // All of them: this process may have put itself on one already.
            cores: fs::read_to_string("/proc/cpuinfo")
                .map_or(0, |text| text.matches("model name").count()),
            memory: line("/proc/meminfo", "MemTotal").map_or_else(unknown, |text| gibibytes(&text)),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease")
                .map_or_else(|_| unknown(), |text| format!("Linux {}", text.trim())),
            rustc: rustc.map_or_else(unknown, |output| {
                String::from_utf8_lossy(&output.stdout).trim().to_owned()
            }),
        }
    }
}

impl Cores {
    /// The first two cores that this process may use.
    pub(crate) fn choose(quick: bool) -> Result<Self> {
        match *allowed()? {
            [server, readers, ..] => Ok(Self { server, readers }),
            // Nothing is measured that anybody would quote.
            [only] if quick => Ok(Self {
                server: only,
                readers: only,
            }),
            [_] => bail!(
                "two cores are needed, one for the server and one for its clients; this machine gives us one"
            ),
            [] => bail!("the machine says that we may use no core"),
        }
    }
}

/// Keeps this thread, and those that it will start, on one core.
pub(crate) fn pin(core: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(core);
    sched_setaffinity(None, &set).with_context(|| format!("cannot stay on core {core}"))
}

/// Lets this thread, and those that it will start, use both cores.
pub(crate) fn use_both(cores: Cores) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(cores.server);
    set.set(cores.readers);
    sched_setaffinity(None, &set).context("cannot use two cores")
}

fn allowed() -> Result<Vec<usize>> {
    let set = sched_getaffinity(None).context("cannot ask which cores we may use")?;
    Ok((0..CpuSet::MAX_CPU)
        .filter(|&core| set.is_set(core))
        .collect())
}

/// "24685516 kB" as "23.5 GiB".
fn gibibytes(text: &str) -> String {
    let kibibytes = text
        .split(' ')
        .next()
        .and_then(|number| number.parse::<f64>().ok());
    kibibytes.map_or_else(
        || text.to_owned(),
        |number| format!("{:.1} GiB", number / f64::from(1 << 20)),
    )
}
