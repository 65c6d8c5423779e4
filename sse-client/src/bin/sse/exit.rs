//! The end of the command: its exit codes and its failures.

use std::{error::Error, fmt::Display, process::ExitCode};

use sse_client::Report;

/// The meaning of the exit codes, for `--help`.
pub(crate) const CODES: &str = "\
Exit codes:
  0  done: --max-events have come, --timeout without --max-events, the server answered 204, Ctrl-C,
     nobody reads stdout any more; or the server ended a stream that is not connected again
  1  the server refused, sent something other than asked for, or an event above the limits;
     or stdout cannot be written
  2  the command line is wrong, or names a file that cannot be read
  3  no connection, or the connection was lost, and it is not made again
  4  fewer than --max-events had come when --timeout was over or the server ended the stream";

/// The exit code of the process. [`CODES`] explains them to users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Done = 0,
    Refused = 1,
    Usage = 2,
    Lost = 3,
    TooFew = 4,
}

/// A failure of the command.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) text: String,
}

impl Exit {
    /// Returns a failure with this code.
    pub(crate) fn because(self, reason: impl Display) -> Failure {
        Failure {
            exit: self,
            text: reason.to_string(),
        }
    }

    /// Returns a failure with this code, whose text is that of an error with all of its causes.
    pub(crate) fn because_of(self, error: &(dyn Error + 'static)) -> Failure {
        self.because(Report::new(error))
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
