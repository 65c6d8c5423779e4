//! Rounds: every row in turn, several times, so that what the machine does meanwhile hits all
//! alike.

use anyhow::Result;

use crate::{
    machine::Cores,
    report::{Figure, Table, number, whole},
};

/// The settings of a measurement.
#[derive(Clone)]
pub(crate) struct Bench {
    pub(crate) cores: Cores,
    /// Only the rows that begin with one of these; all if there is none.
    pub(crate) rows: Vec<String>,
    /// Tiny numbers, to see that everything runs.
    pub(crate) quick: bool,
    /// The clients for which the limit of open files leaves room.
    pub(crate) most_clients: usize,
    /// With the first, which does not count if there are others.
    pub(crate) rounds: usize,
}

/// The figures that one round gave a row, in the order of the table's columns.
pub(crate) struct Sample(Vec<Option<f64>>);

impl From<Vec<Option<f64>>> for Sample {
    fn from(figures: Vec<Option<f64>>) -> Self {
        Self(figures)
    }
}

impl From<Vec<f64>> for Sample {
    fn from(figures: Vec<f64>) -> Self {
        Self(figures.into_iter().map(Some).collect())
    }
}

impl<const N: usize> From<[f64; N]> for Sample {
    fn from(figures: [f64; N]) -> Self {
        Self(figures.map(Some).into())
    }
}

impl Bench {
    /// The number of a full run, or the tiny one.
    pub(crate) fn size<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }

    /// The number of clients, and a sentence for the caption where the limit of open files makes it
    /// smaller.
    pub(crate) fn clients(&self, full: usize, quick: usize) -> (String, usize) {
        let (wanted, most) = (self.size(full, quick), self.most_clients);
        if wanted <= most {
            return (String::new(), wanted);
        }
        let note = format!(
            " Only {} clients instead of {}: this machine allows no more open files in a process.",
            whole(most),
            whole(wanted)
        );
        eprintln!("{}", note.trim());
        (note, most)
    }

    /// As [`fill`](Self::fill), with a row for each peer.
    pub(crate) fn fill_peers<S: Into<Sample>>(
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
    /// A row has a name, and what `measure` gets. A row that fails is left out from then on, and
    /// the table says so.
    pub(crate) fn fill<N: ToString, R, S: Into<Sample>>(
        &self,
        mut table: Table,
        rows: impl IntoIterator<Item = (N, R)>,
        mut measure: impl FnMut(&R) -> Result<S>,
    ) -> Table {
        struct Row<R> {
            name: String,
            subject: R,
            samples: Vec<Sample>,
            failed: bool,
        }
        let mut rows: Vec<Row<R>> = rows
            .into_iter()
            .map(|(name, subject)| Row {
                name: name.to_string(),
                subject,
                samples: Vec::new(),
                failed: false,
            })
            .collect();
        let is_chosen = |name: &str| self.rows.iter().any(|it| name.starts_with(it));
        rows.retain(|row| self.rows.is_empty() || is_chosen(&row.name));
        for round in 1..=self.rounds {
            let is_warm_up = round == 1 && self.rounds > 1;
            let warm_up = if is_warm_up { " (warm-up)" } else { "" };
            for row in rows.iter_mut().filter(|row| !row.failed) {
                let (rounds, name) = (self.rounds, &row.name);
                eprint!(
                    "{}: round {round}/{rounds}{warm_up}: {name:<16} ",
                    table.name
                );
                match measure(&row.subject).map(Into::into) {
                    Ok(sample) => {
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
            let figure = |column: usize| {
                let values: Vec<f64> = samples.iter().filter_map(|it| it.0[column]).collect();
                Figure::of(&values)
            };
            table.push(name, (0..table.columns.len()).map(figure).collect());
        }
        table
    }
}

/// A sample as it is shown while measuring.
fn line(table: &Table, sample: &Sample) -> String {
    let columns = table.columns.iter().zip(&sample.0);
    let shown = columns.filter_map(|(column, value)| {
        Some(format!(
            "{} {} {}",
            column.name,
            number((*value)?),
            column.unit
        ))
    });
    shown.collect::<Vec<_>>().join(", ")
}
