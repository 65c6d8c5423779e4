//! The command as a process.

use std::{
    io::{BufRead as _, BufReader, Read, Write as _},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::Instant,
};

use crate::DEADLINE;

/// The command, running; killed on drop.
pub(crate) struct Sse {
    child: Child,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
}

/// The exit code, and the output that the test has not taken before.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The command with arguments, without the colours that the environment of the tests may ask for.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sse"));
    command
        .args(arguments)
        .env_remove("CLICOLOR_FORCE")
        .env_remove("NO_COLOR")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs it to its end.
pub(crate) fn run(arguments: &[&str]) -> Ended {
    Sse::start(arguments).end()
}

impl Sse {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::spawn(&mut command(arguments))
    }

    /// With this on its stdin.
    pub(crate) fn start_with(arguments: &[&str], stdin: &[u8]) -> Self {
        let mut sse = Self::spawn(command(arguments).stdin(Stdio::piped()));
        sse.child.stdin.take().unwrap().write_all(stdin).unwrap();
        sse
    }

    pub(crate) fn spawn(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let stdout = lines(child.stdout.take());
        let stderr = lines(child.stderr.take());
        Self {
            child,
            stdout,
            stderr,
        }
    }

    /// The next line on stdout, with its end.
    #[track_caller]
    pub(crate) fn line(&self) -> String {
        self.stdout.recv_timeout(DEADLINE).unwrap()
    }

    /// The next line on stderr, with its end.
    #[track_caller]
    pub(crate) fn note(&self) -> String {
        self.stderr.recv_timeout(DEADLINE).unwrap()
    }

    /// Presses Ctrl-C.
    #[cfg(unix)]
    pub(crate) fn interrupt(&self) {
        let id = self.child.id().to_string();
        let status = Command::new("kill").args(["-INT", &id]).status().unwrap();
        assert!(status.success());
    }

    /// Waits for its end, within the time limit.
    #[track_caller]
    pub(crate) fn end(mut self) -> Ended {
        let stdout = rest(&self.stdout);
        let stderr = rest(&self.stderr);
        // It has closed both, which it does last.
        let code = self.child.wait().unwrap().code();
        Ended {
            code,
            stdout,
            stderr,
        }
    }
}

impl Drop for Sse {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the lines as they arrive; none if somebody else reads.
fn lines(pipe: Option<impl Read + Send + 'static>) -> Receiver<String> {
    let (sender, receiver) = channel();
    if let Some(pipe) = pipe {
        thread::spawn(move || {
            let mut pipe = BufReader::new(pipe);
            let mut line = String::new();
            while pipe.read_line(&mut line).is_ok_and(|length| length > 0) {
                let _ = sender.send(std::mem::take(&mut line));
            }
        });
    }
    receiver
}

#[track_caller]
fn rest(lines: &Receiver<String>) -> String {
    let deadline = Instant::now() + DEADLINE;
    let mut text = String::new();
    loop {
        match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => text.push_str(&line),
            Err(RecvTimeoutError::Disconnected) => return text,
            Err(RecvTimeoutError::Timeout) => panic!("it does not end: {text:?}"),
        }
    }
}
