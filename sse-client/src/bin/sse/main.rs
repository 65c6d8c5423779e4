//! The command `sse`: follow, publish and measure event streams.

mod args;
mod bench;
mod client;
mod escape;
mod exit;
mod format;
mod notes;
mod publish;
mod ready;
mod stdout;
mod tail;
mod values;

use std::process::ExitCode;

use clap::Parser as _;
use tokio::runtime::Builder;

use crate::{
    args::{Cli, Command},
    exit::{Exit, Failure},
};

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            notes::error(&failure.text);
            failure.exit.into()
        }
    }
}

fn run(cli: Cli) -> Result<Exit, Failure> {
    // One stream is not enough work for several threads, a thousand are.
    let mut builder = match cli.command {
        Command::Bench(_) => Builder::new_multi_thread(),
        Command::Tail(_) | Command::Publish(_) => Builder::new_current_thread(),
    };
    let runtime = builder
        .enable_all()
        .build()
        .map_err(|error| Exit::Refused.because(format!("cannot start: {error}")))?;
    let result = runtime.block_on(async {
        match cli.command {
            Command::Tail(args) => tail::run(*args).await,
            Command::Publish(args) => publish::run(args).await,
            Command::Bench(args) => bench::run(args).await,
        }
    });
    // A process that does not read our stdout, or write to our stdin, must not hold up the end.
    runtime.shutdown_background();
    result
}
