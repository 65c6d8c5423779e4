//! Measures the crates of this project against what people use instead.

mod clients;
mod clock;
mod in_process;
mod machine;
mod payload;
mod peers;
mod process;
mod report;
mod rounds;
mod run;
mod scenarios;
mod server;

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;

/// Measures server-sent events.
#[derive(Parser)]
enum Task {
    /// Measure
    Run(run::Options),
    /// Write the report of a saved run
    Report {
        /// The file that a run has saved
        from: PathBuf,
        /// The folder to write to
        to: PathBuf,
    },
    /// Serve one peer for a measurement
    #[command(hide = true)]
    Serve {
        /// The peer to serve with
        peer: String,
        #[command(flatten)]
        settings: server::Settings,
    },
    /// Measure a store once, in this process
    #[command(hide = true)]
    Store {
        /// The measurement, as JSON
        job: String,
    },
}

fn main() -> anyhow::Result<ExitCode> {
    match Task::parse() {
        Task::Run(options) => return run::run(&options),
        Task::Report { from, to } => report::write(&report::Results::load(&from)?, &to)?,
        Task::Serve { peer, settings } => peers::serve(&peer, &settings)?,
        Task::Store { job } => in_process::measure_store(&job)?,
    }
    Ok(ExitCode::SUCCESS)
}
