//! The project's commands: `cargo xtask test-all`, `tidy`, `figures`, `bench` and `demo`.

mod bench;
mod demo;
mod figures;
mod manifest;
mod process;
mod steps;
mod test_all;
mod test_counts;
mod tidy;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Parser;

fn main() -> ExitCode {
    run(&Task::parse()).unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

/// The project's commands.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask")]
enum Task {
    /// Check everything; CI calls exactly this
    TestAll(test_all::Options),
    /// Check the house rules and invariants
    Tidy,
    /// Print the size of each crate and the state of its comments
    Figures,
    /// Measure these crates and the ones that people use instead
    Bench(bench::Options),
    /// Run the example app and open its page
    Demo(demo::Options),
    /// The half of `demo` that waits for the app and opens the browser
    #[command(hide = true)]
    OpenPage(demo::Options),
}

fn run(task: &Task) -> Result<ExitCode> {
    enter_workspace_root()?;
    match task {
        // Prints its own failures, so that the counts stay the last line.
        Task::TestAll(options) => return Ok(test_all::run(options)),
        Task::Tidy => tidy::run()?,
        Task::Figures => figures::run()?,
        Task::Bench(options) => bench::run_benchmarks(options)?,
        Task::Demo(options) => demo::run(options)?,
        Task::OpenPage(options) => demo::open_page(options)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Enters the root of the workspace, to which every path in xtask is relative.
fn enter_workspace_root() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("xtask has to be a folder of the workspace")?;
    std::env::set_current_dir(root)
        .with_context(|| format!("cannot enter the workspace root {}", root.display()))
}
