//! The results, and the document that shows them: `docs/bench/README.md` with its pictures.

mod chart;
mod markdown;

use std::{fmt::Write as _, fs, path::Path};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

pub(crate) use self::markdown::{number, section, whole};
use crate::machine::Machine;

/// The beginning of the document: what holds for all tables.
const INTRODUCTION: &str = include_str!("introduction.md");

/// Everything that a report is made of; kept in a file, it can be rendered again.
#[derive(Deserialize, Serialize)]
pub(crate) struct Results {
    pub(crate) machine: Machine,
    pub(crate) tables: Vec<Table>,
}

/// The result of a measurement: one row for each peer, one figure for each column.
#[derive(Default, Deserialize, Serialize)]
pub(crate) struct Table {
    /// The name of the table in files: lower case, with hyphens.
    pub(crate) name: String,
    pub(crate) title: String,
    /// An account of what was done, in plain sentences.
    pub(crate) caption: String,
    /// The heading of the first column: "peer", or what the rows are.
    pub(crate) subject: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Row>,
    /// Columns that the report computes from the others.
    pub(crate) ratios: Vec<Ratio>,
    /// Sentences that a reader has to know about single figures.
    pub(crate) notes: Vec<String>,
    /// Rows that are missing, and why.
    pub(crate) failures: Vec<String>,
    /// The time of the measurement, in UTC.
    #[serde(default)]
    pub(crate) measured: String,
}

/// The meaning of the figures below it.
#[derive(Deserialize, Serialize)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// Empty for a plain number.
    pub(crate) unit: String,
}

/// The figures of one peer, in the order of the columns.
#[derive(Deserialize, Serialize)]
pub(crate) struct Row {
    pub(crate) peer: String,
    /// `None` where there is nothing to measure.
    pub(crate) figures: Vec<Option<Figure>>,
}

/// A median with its spread.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
pub(crate) struct Figure {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    /// The end of what was measured had not come by then.
    #[serde(default)]
    pub(crate) is_more: bool,
}

/// The relation of each row's figure in a column to that of one row.
#[derive(Deserialize, Serialize)]
pub(crate) struct Ratio {
    /// Counted from 0.
    pub(crate) column: usize,
    /// The peer that counts as 1; `None` means the own framework of each row.
    pub(crate) against: Option<String>,
}

impl Results {
    /// Reads results that were kept in a file.
    pub(crate) fn load(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path);
        let text = text.with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} holds no results", path.display()))
    }

    /// Writes the file; tables of an earlier run that were not measured again stay as they are.
    pub(crate) fn save(mut self, path: &Path) -> Result<Self> {
        if let Ok(earlier) = Self::load(path) {
            self.tables = merge(earlier.tables, self.tables);
        }
        write_file(path, &serde_json::to_string_pretty(&self)?)?;
        Ok(self)
    }
}

/// Puts newer tables in the place of those of the same name, and new ones behind them.
fn merge(earlier: Vec<Table>, newer: Vec<Table>) -> Vec<Table> {
    let mut merged = earlier;
    for table in newer {
        match merged.iter_mut().find(|it| it.name == table.name) {
            Some(earlier) => *earlier = table,
            None => merged.push(table),
        }
    }
    merged
}

/// Writes the document and its pictures into a folder.
pub(crate) fn write(results: &Results, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let Machine {
        processor,
        cores,
        memory,
        kernel,
        rustc,
    } = &results.machine;
    let mut text = format!(
        "{INTRODUCTION}\nThe machine: {processor}, {cores} cores, {memory} of memory, {kernel}, {rustc}.\n"
    );
    for table in &results.tables {
        let mut pictures = Vec::new();
        for (file, title, svg) in chart::charts(table) {
            write_file(&folder.join(format!("{file}.svg")), &svg)?;
            pictures.push(format!("![{title}]({file}.svg)\n"));
        }
        let _ = write!(text, "\n{}", section(table, &pictures));
    }
    write_file(&folder.join("README.md"), &text)
}

fn write_file(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

impl Table {
    /// A table without rows yet, whose rows are peers.
    ///
    /// The columns are separated by semicolons, each with its unit, if it has one, behind its last
    /// comma: "deliveries, M/s; pieces".
    pub(crate) fn new(name: &str, title: &str, caption: impl Into<String>, columns: &str) -> Self {
        let column = |text: &str| {
            let (name, unit) = text.rsplit_once(", ").unwrap_or((text, ""));
            Column {
                name: name.to_owned(),
                unit: unit.to_owned(),
            }
        };
        Self {
            name: name.to_owned(),
            title: title.to_owned(),
            caption: caption.into(),
            subject: "peer".to_owned(),
            columns: columns.split("; ").map(column).collect(),
            ..Self::default()
        }
    }

    /// Names what the rows are, if they are not peers.
    pub(crate) fn subject(mut self, subject: &str) -> Self {
        subject.clone_into(&mut self.subject);
        self
    }

    /// Adds computed columns: `column` (counted from 0) as a multiple of each of these rows.
    pub(crate) fn ratios(mut self, column: usize, rows: &[&str]) -> Self {
        let against = rows.iter().map(|row| Some((*row).to_owned()));
        self.ratios
            .extend(against.map(|against| Ratio { column, against }));
        self
    }

    /// Adds a computed column: `column` (counted from 0) as a multiple of the row's own framework.
    pub(crate) fn ratio_to_own(mut self, column: usize) -> Self {
        self.ratios.push(Ratio {
            column,
            against: None,
        });
        self
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, peer: &str, figures: Vec<Option<Figure>>) {
        let peer = peer.to_owned();
        self.rows.push(Row { peer, figures });
    }

    /// The figure of a row in a column (counted from 0).
    pub(crate) fn figure(&self, peer: &str, column: usize) -> Option<Figure> {
        let row = self.rows.iter().find(|row| row.peer == peer)?;
        *row.figures.get(column)?
    }

    /// Fills a column with what follows from the figures of each row and of the others.
    pub(crate) fn compute(&mut self, column: usize, of: impl Fn(&Self, &str) -> Option<f64>) {
        for index in 0..self.rows.len() {
            let value = of(self, &self.rows[index].peer);
            self.rows[index].figures[column] = value.and_then(|value| Figure::of(&[value]));
        }
    }
}

impl Figure {
    /// The median of what several rounds gave; `None` if there was no round.
    pub(crate) fn of(samples: &[f64]) -> Option<Self> {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let median = f64::midpoint(sorted[(sorted.len() - 1) / 2], sorted[middle]);
        Some(Self {
            median,
            min,
            max,
            is_more: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_measured_again_replaces_what_was_there() {
        let table = |name: &str, title: &str| Table::new(name, title, "", "");
        let merged = merge(
            vec![table("a", "old"), table("b", "old")],
            vec![table("c", "new"), table("a", "new")],
        );
        let found: Vec<_> = merged.iter().map(|it| (&*it.name, &*it.title)).collect();
        assert_eq!(found, [("a", "new"), ("b", "old"), ("c", "new")]);
    }

    #[test]
    fn a_figure_is_the_median_with_the_spread() {
        let odd = Figure::of(&[3.0, 1.0, 2.0]).unwrap();
        assert_eq!((odd.median, odd.min, odd.max), (2.0, 1.0, 3.0));
        let even = Figure::of(&[4.0, 1.0, 2.0, 3.0]).unwrap();
        assert_eq!((even.median, even.min, even.max), (2.5, 1.0, 4.0));
        assert_eq!(Figure::of(&[]), None);
    }

    #[test]
    fn a_column_has_its_unit_behind_the_last_comma() {
        let table = Table::new("a", "A", "", "1,400-byte chunks, each event, ns; pieces");
        let columns = table.columns.iter().map(|it| (&*it.name, &*it.unit));
        let expected = [("1,400-byte chunks, each event", "ns"), ("pieces", "")];
        assert_eq!(columns.collect::<Vec<_>>(), expected);
    }
}
