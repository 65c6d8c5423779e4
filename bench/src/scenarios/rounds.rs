//! Rounds: every peer in turn, several times, so that what the machine does meanwhile hits all alike.

use anyhow::Result;

use crate::{
    clients::{Clients, Connect},
    machine::Cores,
    process::Process,
    report::{Figure, Table, number, whole},
};

/// How to measure.
#[derive(Clone, Debug)]
pub(crate) struct Bench {
    pub(crate) cores: Cores,
    /// Only the rows that begin with one of these; all if there is none.
    pub(crate) peers: Vec<String>,
    /// Tiny numbers, to see that everything runs.
    pub(crate) quick: bool,
    /// What the limit of open files leaves.
    pub(crate) most_clients: usize,
    /// With the first, which does not count if there are others.
    pub(crate) rounds: usize,
}

/// What one round of one peer gave, in the order of the table's columns.
pub(crate) type Sample = Vec<Option<f64>>;

impl Bench {
    /// The number of a full run, or the tiny one.
    pub(crate) fn size<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }

    /// The number of clients, and a sentence for the caption where the limit of open files makes it smaller.
    pub(crate) fn clients(&self, full: usize, quick: usize) -> (String, usize) {
        let wanted = self.size(full, quick);
        if wanted <= self.most_clients {
            return (String::new(), wanted);
        }
        let most = self.most_clients;
        let note = format!(
            " Only {} clients instead of {}: this machine allows no more open files in a process.",
            whole(most as u64),
            whole(wanted as u64)
        );
        eprintln!("{}", note.trim());
        (note, most)
    }

    /// Starts a server and its clients.
    pub(crate) fn start(
        &self,
        peer: &str,
        connect: &Connect,
        arguments: &[String],
    ) -> Result<(Process, Clients)> {
        let process = Process::start(peer, self.cores.server, arguments)?;
        let clients = connect.to(process.address)?;
        Ok((process, clients))
    }

    /// Those of the rows that are wanted.
    pub(crate) fn chosen<'a>(&self, rows: &[&'a str]) -> Vec<&'a str> {
        let is_chosen = |row: &str| {
            let named = |name: &String| row.starts_with(name.as_str());
            self.peers.is_empty() || self.peers.iter().any(named)
        };
        rows.iter().copied().filter(|row| is_chosen(row)).collect()
    }

    /// Measures every row in turn, round after round, and puts medians and spreads into the table.
    ///
    /// A row that fails is left out from then on, and the table says so.
    pub(crate) fn fill(
        &self,
        table: &mut Table,
        rows: &[&str],
        mut measure: impl FnMut(&str) -> Result<Sample>,
    ) {
        let rows = &self.chosen(rows);
        let mut samples: Vec<Vec<Sample>> = vec![Vec::new(); rows.len()];
        let mut failed = vec![false; rows.len()];
        for round in 1..=self.rounds {
            let is_warm_up = round == 1 && self.rounds > 1;
            for (index, row) in rows.iter().enumerate() {
                if failed[index] {
                    continue;
                }
                let warm_up = if is_warm_up { " (warm-up)" } else { "" };
                let rounds = self.rounds;
                eprint!(
                    "{}: round {round}/{rounds}{warm_up}: {row:<16} ",
                    table.name
                );
                match measure(row) {
                    Ok(sample) => {
                        eprintln!("{}", line(table, &sample));
                        if !is_warm_up {
                            samples[index].push(sample);
                        }
                    }
                    Err(error) => {
                        eprintln!("failed: {error:#}");
                        table.failures.push(format!("{row}: {error:#}"));
                        failed[index] = true;
                    }
                }
            }
        }
        for (row, samples) in rows.iter().zip(&samples) {
            let figure = |column: usize| {
                let values: Vec<f64> = samples.iter().filter_map(|it| it[column]).collect();
                Figure::of(&values)
            };
            table.push(row, (0..table.columns.len()).map(figure).collect());
        }
    }
}

/// A sample as it is shown while measuring.
fn line(table: &Table, sample: &Sample) -> String {
    let shown = table
        .columns
        .iter()
        .zip(sample)
        .filter_map(|(column, value)| {
            let value = number((*value)?);
            Some(format!("{} {value} {}", column.name, column.unit))
        });
    shown.collect::<Vec<_>>().join(", ")
}
