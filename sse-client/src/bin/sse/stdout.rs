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

/// How long the end of the command waits for a reader to take what is half written.
const LAST_WRITE: Duration = Duration::from_secs(1);

/// Stdout, written to from another thread: a reader that does not read holds up the stream, but not Ctrl-C.
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

    /// Lets a write that was cancelled come to its end.
    pub(crate) async fn settle(&mut self) {
        let _ = timeout(LAST_WRITE, self.0.flush()).await;
    }
}

/// What has no place to go: a reader that has left has had what it wanted, a full disk is an error.
pub(crate) fn unwritten(error: &io::Error) -> Result<Exit, Failure> {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Ok(Exit::Done);
    }
    Err(Exit::Refused.because(format!("cannot write to stdout: {error}")))
}

/// Ready when nobody can read stdout any more, although nothing is being written: `sse tail URL | head -1` ends
/// with `head`, not with the next event. Never ready where that cannot be known.
pub(crate) async fn closed() {
    if !io::stdout().is_terminal() && wait_for_close().await.is_ok() {
        return;
    }
    std::future::pending::<()>().await;
}

/// Fails for what cannot be waited for, such as files; nobody can leave them either.
#[cfg(unix)]
async fn wait_for_close() -> io::Result<()> {
    use std::os::fd::AsFd as _;

    use tokio::{io::Interest, net::unix::pipe::Sender};

    let stdout = io::stdout().as_fd().try_clone_to_owned()?;
    // Whatever it is, it is only waited for. "Checked" would make it non-blocking, also for all others who have it.
    let stdout = Sender::from_owned_fd_unchecked(stdout)?;
    stdout.ready(Interest::ERROR).await?;
    Ok(())
}

#[cfg(not(unix))]
async fn wait_for_close() -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
