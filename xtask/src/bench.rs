//! `cargo xtask bench`: builds the bench crate, which is a separate workspace, and runs it.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result};
use clap::Args;

use crate::process::{cargo, run};

/// The folder in which the bench crate is built and its last results are kept.
const TARGET: &str = "target/bench";

/// The folder of the report of a full run.
const REPORT: &str = "docs/bench";

/// The options of `cargo xtask bench`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Measure only this and print it; may be repeated. An unknown name lists the known ones
    #[arg(long = "scenario", value_name = "NAME")]
    scenarios: Vec<String>,
    /// Tiny numbers, to see that everything runs and every delivery is accounted for; prints only
    #[arg(long)]
    quick: bool,
}

/// Runs the measurements. A full run writes `docs/bench`; it takes about half an hour and needs an
/// otherwise idle machine.
pub(crate) fn run_benchmarks(options: &Options) -> Result<()> {
    run(&mut cargo(&format!(
        "build --release --manifest-path bench/Cargo.toml --target-dir {TARGET}"
    )))?;
    run(&mut program(options)?)
}

fn program(options: &Options) -> Result<Command> {
    let mut command = Command::new(format!("{TARGET}/release/sse-bench"));
    command.arg("run");
    for name in &options.scenarios {
        command.args(["--scenario", name]);
    }
    if options.quick {
        command.arg("--quick");
    } else if options.scenarios.is_empty() {
        let results = format!("{TARGET}/results.json");
        // A report of two runs would compare figures that were not measured together.
        if fs::exists(&results)? {
            fs::remove_file(&results).with_context(|| format!("cannot remove {results}"))?;
        }
        command.args(["--save", &results, "--report", REPORT]);
    }
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(scenarios: &[&str], quick: bool) -> Vec<String> {
        let scenarios = scenarios.iter().map(ToString::to_string).collect();
        let command = program(&Options { scenarios, quick }).unwrap();
        let arguments = command.get_args();
        arguments
            .map(|it| it.to_string_lossy().into_owned())
            .collect()
    }

    #[test]
    fn only_a_full_run_writes_the_report() {
        assert!(arguments(&[], false).contains(&REPORT.to_owned()));
        assert_eq!(arguments(&[], true), ["run", "--quick"]);
        assert_eq!(arguments(&["burst"], false), ["run", "--scenario", "burst"]);
    }
}
