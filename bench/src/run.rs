//! One run: the scenarios that were asked for, and what is done with the results.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Result, bail};
use jiff::Timestamp;

use crate::{
    in_process,
    machine::{self, Cores, Machine},
    report::{self, Results, Table},
    rounds::Bench,
    scenarios,
};

/// The choice of what to measure.
#[derive(clap::Args)]
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
    /// Measure each this many times; the first does not count
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
#[derive(clap::Args)]
pub(crate) struct Render {
    /// The file that a run has saved
    from: PathBuf,
    /// The folder to write to
    to: PathBuf,
}

/// A name, one line about what is done, and what does it.
type Scenario = (&'static str, &'static str, fn(&Bench) -> Result<Vec<Table>>);

/// All scenarios, in the order of the report.
#[rustfmt::skip]
const SCENARIOS: [Scenario; 16] = [
    ("burst", "everyone gets many messages at once", scenarios::burst),
    ("sustained", "as much as one core can take", scenarios::sustained),
    ("paced", "an even pace, each message by itself", scenarios::paced),
    ("memory", "what an idle connection costs", scenarios::memory),
    ("stuck", "next to clients that never read", scenarios::stuck),
    ("connect-storm", "everyone connects at once", scenarios::connect_storm),
    ("resume-storm", "everyone comes back at once", scenarios::resume_storm),
    ("shutdown", "SIGTERM with streams open", scenarios::shutdown),
    ("publish-topics", "publishing to one topic of many", in_process::publish_topics),
    ("publish-subscribers", "everyone on one topic", in_process::publish_subscribers),
    ("many-topics", "many topics for each subscriber", in_process::many_topics),
    ("memory-core", "what a subscriber takes, without a connection", in_process::memory_core),
    ("churn", "subscriptions that come and go", in_process::churn),
    ("codec", "events to bytes and back", in_process::codec),
    ("replay", "a long history, read at once", in_process::replay),
    ("store", "a history on disk", in_process::store),
];

/// Measures and shows; fails if something could not be measured.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let scenarios = chosen(&options.scenarios)?;
    let bench = bench(options)?;
    let mut tables = Vec::new();
    for (name, about, measure) in scenarios {
        eprintln!("{name}: {about}");
        for mut table in measure(&bench)? {
            table.measured = Timestamp::now().strftime("%F %R UTC").to_string();
            println!("\n{}", report::section(&table, &[]));
            tables.push(table);
        }
    }
    let failures = |it: &Table| -> Vec<String> {
        let named = |failure: &String| format!("{}: {failure}", it.name);
        it.failures.iter().map(named).collect()
    };
    let failures: Vec<String> = tables.iter().flat_map(failures).collect();
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
    let is_complete = failures.is_empty();
    Ok(ExitCode::from(u8::from(!is_complete)))
}

impl Render {
    /// Writes the report.
    pub(crate) fn run(&self) -> Result<()> {
        report::write(&Results::load(&self.from)?, &self.to)
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
        rows: options.peers.clone(),
        quick: options.quick,
        rounds: rounds.max(1),
    })
}

/// The scenarios of these names, or all, in the order of the report.
fn chosen(names: &[String]) -> Result<Vec<Scenario>> {
    let known = SCENARIOS.map(|(name, ..)| name);
    if let Some(name) = names.iter().find(|name| !known.contains(&name.as_str())) {
        let known = known.join(", ");
        bail!("there is no scenario {name}; there are: {known}");
    }
    let mut chosen = SCENARIOS.to_vec();
    chosen.retain(|(name, ..)| names.is_empty() || names.iter().any(|it| it == name));
    Ok(chosen)
}
