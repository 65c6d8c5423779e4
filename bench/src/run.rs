//! One run: the scenarios that were asked for, and what is done with the results.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Result, bail};
use jiff::Timestamp;

use crate::{
    in_process,
    machine::{self, Cores, Machine},
    report::{self, Results},
    scenarios::{self, Bench, Scenario},
};

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Measure only this; may be repeated
    #[arg(long = "scenario", value_name = "NAME")]
    scenarios: Vec<String>,
    /// Measure only rows that begin with this; may be repeated
    #[arg(long = "peer", value_name = "NAME", conflicts_with = "save")]
    peers: Vec<String>,
    /// Tiny numbers, to see that everything runs and every delivery is accounted for
    #[arg(long, conflicts_with = "save")]
    quick: bool,
    /// How often each is measured; the first time does not count
    #[arg(long, default_value_t = 4)]
    rounds: usize,
    /// Keep the results in this file; what it holds of other scenarios stays
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Write the report of everything in the file into this folder
    #[arg(long, value_name = "FOLDER", requires = "save")]
    report: Option<PathBuf>,
}

/// Renders a report from kept results.
#[derive(Debug, clap::Args)]
pub(crate) struct Render {
    /// The file that a run has saved
    from: PathBuf,
    /// The folder to write to
    to: PathBuf,
}

/// Measures and shows; fails if something could not be measured.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let scenarios = chosen(&options.scenarios)?;
    let bench = bench(options)?;
    let mut tables = Vec::new();
    for scenario in scenarios {
        eprintln!("{}: {}", scenario.name, scenario.about);
        for mut table in (scenario.run)(&bench)? {
            table.measured = Timestamp::now().strftime("%F %R UTC").to_string();
            println!("\n{}", report::section(&table, &[]));
            tables.push(table);
        }
    }
    let failures: Vec<String> = tables
        .iter()
        .flat_map(|table| {
            table
                .failures
                .iter()
                .map(|it| format!("{}: {it}", table.name))
        })
        .collect();
    if let Some(path) = &options.save {
        let machine = Machine::this();
        let results = Results { machine, tables }.save(path)?;
        if let Some(folder) = &options.report {
            report::write(&results, folder)?;
        }
    }
    for failure in &failures {
        eprintln!("failed: {failure}");
    }
    Ok(if failures.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

impl Render {
    pub(crate) fn run(&self) -> Result<()> {
        report::write(&Results::load(&self.from)?, Path::new(&self.to))
    }
}

fn bench(options: &Options) -> Result<Bench> {
    let cores = Cores::choose(options.quick)?;
    machine::pin(cores.readers)?;
    let files = usize::try_from(rlimit::increase_nofile_limit(u64::MAX)?)?;
    let rounds = if options.quick { 1 } else { options.rounds };
    Ok(Bench {
        cores,
        // Some are open already, and a server has other things open than connections.
        most_clients: files.saturating_sub(200),
        peers: options.peers.clone(),
        quick: options.quick,
        rounds: rounds.max(1),
    })
}

/// The scenarios of these names, or all, in the order of the report.
fn chosen(names: &[String]) -> Result<Vec<&'static Scenario>> {
    let all = || scenarios::SCENARIOS.iter().chain(in_process::SCENARIOS);
    if let Some(name) = names.iter().find(|name| all().all(|it| it.name != **name)) {
        let known: Vec<&str> = all().map(|it| it.name).collect();
        bail!(
            "there is no scenario {name}; there are: {}",
            known.join(", ")
        );
    }
    let is_chosen = |it: &&Scenario| names.is_empty() || names.iter().any(|name| name == it.name);
    Ok(all().filter(is_chosen).collect())
}
