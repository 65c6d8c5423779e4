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

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

fn main() -> ExitCode {
    match obey(Task::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Measures server-sent events.
#[derive(Parser)]
enum Task {
    /// Measure
    Run(run::Options),
    /// Write the report of a run that was saved
    Report(run::Render),
    /// One server process of a measurement
    #[command(hide = true)]
    Serve {
        /// The peer to serve with
        peer: String,
        #[command(flatten)]
        settings: server::Settings,
    },
    /// One measurement of a store, in a process of its own
    #[command(hide = true)]
    Store {
        /// The measurement, as JSON
        job: String,
    },
}

fn obey(task: Task) -> Result<ExitCode> {
    match task {
        Task::Run(options) => return run::run(&options),
        Task::Report(render) => render.run()?,
        Task::Serve { peer, settings } => peers::serve(&peer, &settings)?,
        Task::Store { job } => in_process::measure_store(&job)?,
    }
    Ok(ExitCode::SUCCESS)
}
