//! The guard of a child process.

use std::{
    process::{Command as BlockingCommand, ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    time::timeout,
};

use crate::DEADLINE;

/// A child process, which is killed on drop. It stays in the process group of the tests, so that
/// Ctrl-C ends both.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
}

impl Process {
    /// Starts `command` and waits until `find` finds something in a line of its standard output.
    pub(crate) async fn start<T>(
        mut command: Command,
        find: impl Fn(&str) -> Option<T>,
    ) -> Result<(Self, T)> {
        let name = command
            .as_std()
            .get_program()
            .to_string_lossy()
            .into_owned();
        command
            .kill_on_drop(true)
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut child = command
            .spawn()
            .with_context(|| format!("{name} does not start"))?;
        let mut lines =
            BufReader::new(child.stdout.take().context("standard output is piped")?).lines();
        let search = async {
            while let Some(line) = lines.next_line().await? {
                if let Some(found) = find(&line) {
                    return Ok(found);
                }
            }
            bail!("{name} ended its output without printing its address")
        };
        let found = timeout(DEADLINE, search)
            .await
            .with_context(|| format!("{name} does not print its address"))??;
        // Reads on: a process whose output nobody reads blocks, and one whose output is closed
        // fails.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok((Self { child }, found))
    }

    /// Sends SIGTERM and waits for the end.
    pub(crate) async fn terminate(&mut self, within: Duration) -> Result<ExitStatus> {
        let id = self
            .child
            .id()
            .context("the process has ended already")?
            .to_string();
        // The shell's own `kill`: sending a signal takes `unsafe` or a crate, and not every machine
        // has the program.
        let sent = BlockingCommand::new("sh")
            .args(["-c", r#"kill -s TERM "$0""#, &id])
            .status()?;
        ensure!(sent.success(), "SIGTERM could not be sent");
        let ended = timeout(within, self.child.wait()).await;
        Ok(ended.with_context(|| format!("the process still runs {within:?} after SIGTERM"))??)
    }

    /// Sends SIGKILL and waits for the end.
    pub(crate) async fn kill(&mut self) -> Result<()> {
        timeout(DEADLINE, self.child.kill())
            .await
            .context("the process still runs after SIGKILL")??;
        Ok(())
    }
}
