//! One run: the scenarios that were asked for, and the handling of their results.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use jiff::Timestamp;

use crate::{
    in_process,
    machine::{self, Cores},
    report::{self, Results, Table},
    rounds::Bench,
    scenarios,
};

/// The choice of measurements.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Measure only this scenario; may be repeated
    #[arg(long = "scenario", value_name = "NAME", hide_possible_values = true)]
    #[arg(value_parser = SCENARIOS.map(|(name, ..)| name))]
    scenarios: Vec<String>,
    /// Measure only rows that begin with this; may be repeated
    #[arg(long = "peer", value_name = "NAME", conflicts_with = "save")]
    peers: Vec<String>,
    /// Use tiny numbers, to see that everything runs and every delivery is accounted for
    #[arg(long, conflicts_with = "save")]
    quick: bool,
    /// Measure each row this many times; the first does not count
    #[arg(long, default_value_t = 4)]
    rounds: usize,
    /// Keep the results in this file; results of other scenarios in it stay
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Write the report of everything in the file to this folder
    #[arg(long, value_name = "FOLDER", requires = "save")]
    report: Option<PathBuf>,
}

/// A name, one line about what is done, and the measurement.
type Scenario = (&'static str, &'static str, fn(&Bench) -> Result<Vec<Table>>);

/// All scenarios, in the order of the report.
#[rustfmt::skip]
const SCENARIOS: [Scenario; 16] = [
    ("burst", "many messages at once to every client", scenarios::burst),
    ("sustained", "as much as one core can take", scenarios::sustained),
    ("paced", "an even pace, each message by itself", scenarios::paced),
    ("memory", "the cost of an idle connection", scenarios::memory),
    ("stuck", "next to clients that never read", scenarios::stuck),
    ("connect-storm", "all clients connect at once", scenarios::connect_storm),
    ("resume-storm", "all clients come back at once", scenarios::resume_storm),
    ("shutdown", "SIGTERM with streams open", scenarios::shutdown),
    ("publish-topics", "publishing to one topic of many", in_process::publish_topics),
    ("publish-subscribers", "all subscribers on one topic", in_process::publish_subscribers),
    ("many-topics", "many topics for each subscriber", in_process::many_topics),
    ("memory-core", "the memory of a subscriber without a connection", in_process::memory_core),
    ("churn", "subscriptions that come and go", in_process::churn),
    ("codec", "events to bytes and back", in_process::codec),
    ("replay", "a long history, read at once", in_process::replay),
    ("store", "a history on disk", in_process::store),
];

/// Measures and prints the tables; fails if something could not be measured.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let machine = machine::describe()?;
    let bench = bench(options)?;
    let (mut tables, mut failures) = (Vec::new(), Vec::new());
    let is_chosen =
        |name| options.scenarios.is_empty() || options.scenarios.iter().any(|it| it == name);
    for (name, about, measure) in SCENARIOS.into_iter().filter(|(name, ..)| is_chosen(*name)) {
        eprintln!("{name}: {about}");
        for mut table in measure(&bench)? {
            table.measured = Timestamp::now().strftime("%F %R UTC").to_string();
            println!("\n{}", report::section(&table, &[]));
            failures.extend(
                table
                    .failures
                    .iter()
                    .map(|it| format!("{}: {it}", table.name)),
            );
            tables.push(table);
        }
    }
    if let Some(path) = &options.save {
        let results = Results { machine, tables }.save(path)?;
        if let Some(folder) = &options.report {
            report::write(&results, folder)?;
        }
    }
    for failure in &failures {
        eprintln!("failed: {failure}");
    }
    Ok(ExitCode::from(u8::from(!failures.is_empty())))
}

fn bench(options: &Options) -> Result<Bench> {
    let cores = Cores::choose(options.quick)?;
    machine::pin(&[cores.readers])?;
    let files = usize::try_from(rlimit::increase_nofile_limit(u64::MAX)?)?;
    let rounds = if options.quick { 1 } else { options.rounds };
    Ok(Bench {
        cores,
        // Some are open already, and a server opens other files than connections.
        most_clients: files.saturating_sub(200),
        rows: options.peers.clone(),
        quick: options.quick,
        rounds: rounds.max(1),
    })
}
