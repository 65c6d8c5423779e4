//! Rounds: every row in turn, several times, so that whatever else the machine does affects all
//! rows alike.

use anyhow::Result;

use crate::{
    machine::Cores,
    report::{Figure, Table, number},
};

/// The settings of a measurement.
#[derive(Clone)]
pub(crate) struct Bench {
    pub(crate) cores: Cores,
    /// The beginnings of the rows that are measured; all rows if there is none.
    pub(crate) rows: Vec<String>,
    /// Tiny numbers, to see that everything runs.
    pub(crate) quick: bool,
    /// The number of clients for which the limit of open files leaves room.
    pub(crate) most_clients: usize,
    /// The number of rounds, including the first, which does not count if there are others.
    pub(crate) rounds: usize,
}

impl Bench {
    /// Returns the number of a full run, or the tiny one of a quick run.
    pub(crate) fn size<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }

    /// Returns the number of clients, after a sentence for the caption if the limit of open files
    /// makes it smaller.
    pub(crate) fn clients(&self, full: usize, quick: usize) -> (String, usize) {
        let (wanted, most) = (self.size(full, quick), self.most_clients);
        if wanted <= most {
            return (String::new(), wanted);
        }
        let note = format!(
            " Only {most} clients instead of {wanted}: this machine allows no more open files in a process."
        );
        eprintln!("{}", note.trim());
        (note, most)
    }

    /// Fills the table as [`fill`](Self::fill) does, with a row for each peer.
    pub(crate) fn fill_peers<S: Into<Vec<f64>>>(
        &self,
        table: Table,
        peers: &[&str],
        mut measure: impl FnMut(&str) -> Result<S>,
    ) -> Table {
        let rows = peers.iter().map(|peer| (peer, *peer));
        self.fill(table, rows, |peer| measure(peer))
    }

    /// Measures every row in turn, round after round, and puts medians and spreads into the table.
    ///
    /// A row has a name, and a subject that `measure` gets. A sample has one number for each column
    /// of the table, NaN where there is nothing to measure. A row that fails is left out from then
    /// on, and the table says so.
    pub(crate) fn fill<N: ToString, R, S: Into<Vec<f64>>>(
        &self,
        mut table: Table,
        rows: impl IntoIterator<Item = (N, R)>,
        mut measure: impl FnMut(&R) -> Result<S>,
    ) -> Table {
        struct Row<R> {
            name: String,
            subject: R,
            samples: Vec<Vec<f64>>,
            failed: bool,
        }
        let rows = rows.into_iter().map(|(name, subject)| Row {
            name: name.to_string(),
            subject,
            samples: Vec::new(),
            failed: false,
        });
        let mut rows: Vec<Row<R>> = rows.filter(|row| self.is_chosen(&row.name)).collect();
        for round in 1..=self.rounds {
            let is_warm_up = round == 1 && self.rounds > 1;
            let warm_up = if is_warm_up { " (warm-up)" } else { "" };
            for row in rows.iter_mut().filter(|row| !row.failed) {
                let (rounds, name) = (self.rounds, &row.name);
                eprint!(
                    "{}: round {round}/{rounds}{warm_up}: {name:<16} ",
                    table.name
                );
                match measure(&row.subject) {
                    Ok(sample) => {
                        let sample = sample.into();
                        eprintln!("{}", line(&table, &sample));
                        if !is_warm_up {
                            row.samples.push(sample);
                        }
                    }
                    Err(error) => {
                        eprintln!("failed: {error:#}");
                        table.failures.push(format!("{name}: {error:#}"));
                        row.failed = true;
                    }
                }
            }
        }
        for Row { name, samples, .. } in &rows {
            let figure = |column| Figure::of(samples.iter().map(|sample| sample[column]));
            table.push(name, (0..table.columns.len()).map(figure).collect());
        }
        table
    }

    fn is_chosen(&self, name: &str) -> bool {
        self.rows.is_empty() || self.rows.iter().any(|it| name.starts_with(it))
    }
}

/// Writes a sample as it is shown while measuring.
fn line(table: &Table, sample: &[f64]) -> String {
    let columns = table.columns.iter().zip(sample);
    let measured = columns.filter(|(_, value)| !value.is_nan());
    let shown = measured.map(|(it, value)| format!("{it}: {}", number(*value)));
    shown.collect::<Vec<_>>().join("; ")
}
