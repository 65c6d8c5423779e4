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

/// How long anything may take that should take a moment.
const DEADLINE: Duration = Duration::from_secs(30);
