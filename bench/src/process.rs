//! Other processes: a server as the measuring half sees it, and a program that prints figures and
//! ends.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::SocketAddr,
    process::{Child, ChildStdin, Command as Program, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde::de::DeserializeOwned;

use crate::{
    machine::kibibytes,
    server::{Command, Published},
};

/// The time for a server to start, or to answer a question that it can answer at once.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running server, killed on drop.
pub(crate) struct Process {
    peer: String,
    child: Child,
    stdin: ChildStdin,
    lines: Receiver<String>,
    pub(crate) address: SocketAddr,
}

impl Process {
    /// Starts the peer on a core; the arguments are those of [`Settings`](crate::server::Settings).
    pub(crate) fn start(peer: &str, core: usize, arguments: &[&str]) -> Result<Self> {
        let mut child = Program::new(std::env::current_exe()?)
            .args(["serve", peer, "--core", &core.to_string()])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start a server for {peer}"))?;
        let stdin = child.stdin.take().context("stdin was not piped")?;
        let stdout = child.stdout.take().context("stdout was not piped")?;
        let (sender, lines) = channel();
        thread::spawn(move || {
            let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
            lines.all(|line| sender.send(line).is_ok())
        });
        let first = lines.recv_timeout(PATIENCE);
        let first = first.with_context(|| format!("{peer} did not announce its address"))?;
        Ok(Self {
            address: first.parse()?,
            peer: peer.to_owned(),
            child,
            stdin,
            lines,
        })
    }

    /// Lets the server publish `count` messages, evenly with `rate` per second, or in a tight loop
    /// without it.
    pub(crate) fn publish(&mut self, rate: Option<u64>, count: u64) -> Result<()> {
        self.tell(Command::Publish { rate, count })
    }

    fn tell(&mut self, command: Command) -> Result<()> {
        let line = serde_json::to_string(&command)?;
        writeln!(self.stdin, "{line}").with_context(|| format!("{} is gone", self.peer))
    }

    /// Takes the server's account of its last publishing, once there is one.
    pub(crate) fn published(&self) -> Result<Option<Published>> {
        self.answer(Duration::ZERO)
    }

    /// Waits for the server's account of its last publishing.
    pub(crate) fn wait_published(&self, patience: Duration) -> Result<Published> {
        let published = self.answer(patience)?;
        published.with_context(|| format!("{} did not publish in {patience:?}", self.peer))
    }

    /// Asks the server for the number of its clients.
    pub(crate) fn subscribers(&mut self) -> Result<usize> {
        self.tell(Command::Subscribers)?;
        let subscribers = self.answer(PATIENCE)?;
        subscribers.with_context(|| format!("{} does not answer", self.peer))
    }

    fn answer<T: DeserializeOwned>(&self, patience: Duration) -> Result<Option<T>> {
        match self.lines.recv_timeout(patience) {
            Ok(line) => serde_json::from_str(&line)
                .map(Some)
                .with_context(|| format!("{} answered another question: {line}", self.peer)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => bail!("{} ended by itself", self.peer),
        }
    }

    /// Returns the nanoseconds of CPU time that all its threads have used, in its own code and in
    /// the kernel.
    pub(crate) fn cpu(&self) -> Result<u64> {
        let mut nanos = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let text = fs::read_to_string(task?.path().join("schedstat"))?;
            let first = text.split_whitespace().next().unwrap_or_default();
            nanos += first
                .parse::<u64>()
                .context("the kernel counts no CPU time")?;
        }
        Ok(nanos)
    }

    /// Returns the KB of its resident memory.
    pub(crate) fn resident(&self) -> Result<u64> {
        kibibytes(&format!("/proc/{}/smaps_rollup", self.child.id()), "Rss:")
    }

    /// Asks it to end, as a service manager would.
    pub(crate) fn terminate(&self) -> Result<()> {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).with_context(|| format!("{} is gone", self.peer))
    }

    /// Returns `true` once it has ended.
    pub(crate) fn has_ended(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // An error means that it has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a program that prints its figures as JSON; it may die by a signal if that is its task.
pub(crate) fn figures(program: &mut Program, may_be_killed: bool) -> Result<Vec<f64>> {
    let output = program.output();
    let output = output.with_context(|| format!("cannot start {program:?}"))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    let was_killed = output.status.code().is_none();
    ensure!(
        output.status.success() || may_be_killed && was_killed,
        "{program:?} has failed: {errors}"
    );
    let figures = serde_json::from_slice(&output.stdout);
    figures.with_context(|| format!("{program:?} prints something other than figures"))
}
