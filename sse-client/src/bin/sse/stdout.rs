//! Stdout, which may be slow, full or gone.

use std::{
    io::{self, IsTerminal as _},
    time::Duration,
};

use tokio::{
    io::{AsyncWriteExt as _, Stdout as Inner},
    time::timeout,
};

use crate::exit::{Exit, Failure};

/// The time for which the end of the command waits until a reader has taken the rest of a write.
const LAST_WRITE: Duration = Duration::from_secs(1);

/// Stdout, written to from another thread: a reader that does not read holds up the stream, but not
/// Ctrl-C.
pub(crate) struct Stdout(Inner);

impl Stdout {
    pub(crate) fn new() -> Self {
        Self(tokio::io::stdout())
    }

    /// Writes and flushes.
    pub(crate) async fn print(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes).await?;
        self.0.flush().await
    }

    /// Waits until a write that was cancelled is complete.
    pub(crate) async fn settle(&mut self) {
        let _ = timeout(LAST_WRITE, self.0.flush()).await;
    }
}

/// Returns the result of a failed write: a reader that has left had enough, a full disk is an
/// error.
pub(crate) fn unwritten(error: &io::Error) -> Result<Exit, Failure> {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Ok(Exit::Done);
    }
    Err(Exit::Refused.because(format!("cannot write to stdout: {error}")))
}

/// Resolves when nobody can read stdout any more, although nothing is being written:
/// `sse tail URL | head -1` ends with `head`, not with the next event. Never resolves where that
/// cannot be known.
pub(crate) async fn closed() {
    if !io::stdout().is_terminal() && wait_for_close().await.is_ok() {
        return;
    }
    std::future::pending::<()>().await;
}

/// Fails if stdout cannot be waited for, such as a file; a file has no reader that could leave.
#[cfg(unix)]
async fn wait_for_close() -> io::Result<()> {
    use std::os::fd::AsFd as _;

    use tokio::{io::Interest, net::unix::pipe::Sender};

    let stdout = io::stdout().as_fd().try_clone_to_owned()?;
    // Any kind of stdout is only waited for. The checked function would make it non-blocking, for
    // every process that shares it.
    let stdout = Sender::from_owned_fd_unchecked(stdout)?;
    stdout.ready(Interest::ERROR).await?;
    Ok(())
}

#[cfg(not(unix))]
async fn wait_for_close() -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
