//! The command `sse`, run for real.

mod app;
mod bench;
mod connections;
mod endings;
mod options;
mod output;
mod process;
mod publish;
mod server;

use std::time::Duration;

/// The time limit for anything that should take a moment.
const DEADLINE: Duration = Duration::from_secs(30);
