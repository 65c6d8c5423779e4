//! A server process as the measuring half sees it: commands, answers, CPU time and memory.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::SocketAddr,
    process::{Child, ChildStdin, Command as Program, ExitStatus, Stdio},
    sync::mpsc::{Receiver, TryRecvError, channel},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::server::{Answer, Command, Published};

/// How long a server may take to start, and to answer what takes it no time.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running server; it is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    peer: String,
    child: Child,
    stdin: ChildStdin,
    lines: Receiver<String>,
    pub(crate) address: SocketAddr,
}

impl Process {
    /// Starts the peer on a core; the arguments are those of [`Settings`](crate::server::Settings).
    pub(crate) fn start(peer: &str, core: usize, arguments: &[String]) -> Result<Self> {
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
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
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

    /// Tells the server to do something.
    pub(crate) fn tell(&mut self, command: Command) -> Result<()> {
        let line = serde_json::to_string(&command)?;
        writeln!(self.stdin, "{line}").with_context(|| format!("{} is gone", self.peer))
    }

    /// What the server says about its last publishing, once it has said it.
    pub(crate) fn published(&self) -> Result<Option<Published>> {
        match self.lines.try_recv() {
            Ok(line) => match serde_json::from_str(&line)? {
                Answer::Published(published) => Ok(Some(published)),
                Answer::Subscribers(_) => bail!("{} answered another question", self.peer),
            },
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => bail!("{} ended by itself", self.peer),
        }
    }

    /// As [`published`](Self::published), but waits for it.
    pub(crate) fn wait_published(&self, patience: Duration) -> Result<Published> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(published) = self.published()? {
                return Ok(published);
            }
            if Instant::now() > deadline {
                bail!("{} did not publish in {patience:?}", self.peer);
            }
            // pace: looks again until the patience is over.
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// How many clients the server has.
    pub(crate) fn subscribers(&mut self) -> Result<usize> {
        self.tell(Command::Subscribers)?;
        let line = self.lines.recv_timeout(PATIENCE);
        let line = line.with_context(|| format!("{} does not answer", self.peer))?;
        match serde_json::from_str(&line)? {
            Answer::Subscribers(count) => Ok(count),
            Answer::Published(_) => bail!("{} answered another question", self.peer),
        }
    }

    /// Nanoseconds of CPU time that all its threads have used, in its own code and in the kernel.
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

    /// Bytes of memory that are its own or in its page tables.
    pub(crate) fn resident(&self) -> Result<u64> {
        let text = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.child.id()))?;
        let line = text.lines().find_map(|line| line.strip_prefix("Rss:"));
        let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
        let kibibytes: u64 = number.context("the kernel tells no memory")?.parse()?;
        Ok(kibibytes * 1_024)
    }

    /// Asks it to end, as a service manager would.
    pub(crate) fn terminate(&self) -> Result<()> {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).with_context(|| format!("{} is gone", self.peer))
    }

    /// How it ended, once it has.
    pub(crate) fn exit(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // An error means that it has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
