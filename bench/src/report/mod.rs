//! The results, and the document that shows them: `docs/bench/README.md` with its pictures.

mod chart;
mod markdown;

use std::{fmt::Write as _, fs, path::Path};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

pub(crate) use self::markdown::{number, section};

/// The beginning of the document, which holds for all tables.
const INTRODUCTION: &str = include_str!("introduction.md");

/// The content of a report; kept in a file, it can be rendered again.
#[derive(Deserialize, Serialize)]
pub(crate) struct Results {
    /// The description of the machine.
    pub(crate) machine: String,
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
    /// The headings of the columns, each with its unit, if it has one, after its last comma:
    /// "deliveries, M/s", "pieces".
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Row>,
    /// Columns that the report computes from the others.
    pub(crate) ratios: Vec<Ratio>,
    /// Sentences about single figures that a reader has to know.
    pub(crate) notes: Vec<String>,
    /// Rows that are missing, and why.
    pub(crate) failures: Vec<String>,
    /// The time of the measurement, in UTC.
    #[serde(default)]
    pub(crate) measured: String,
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
    /// The measurement was given up before its end.
    #[serde(default)]
    pub(crate) is_more: bool,
}

/// The figures of a column as multiples of the figure of one row.
#[derive(Deserialize, Serialize)]
pub(crate) struct Ratio {
    /// Counted from 0.
    pub(crate) column: usize,
    /// The row that counts as 1, or [`ITS_OWN`].
    pub(crate) against: String,
}

/// The row that counts as 1 is the peer that uses the same framework without these crates.
pub(crate) const ITS_OWN: &str = "its own framework";

impl Results {
    /// Reads results that were kept in a file.
    pub(crate) fn load(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path);
        let text = text.with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} holds no results", path.display()))
    }

    /// Writes the file; tables of earlier runs that were not measured again stay in it.
    pub(crate) fn save(mut self, path: &Path) -> Result<Self> {
        if let Ok(earlier) = Self::load(path) {
            self.tables = merge(earlier.tables, self.tables);
        }
        write_file(path, &serde_json::to_string_pretty(&self)?)?;
        Ok(self)
    }
}

/// Puts newer tables in the place of those of the same name, and appends the others.
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
    let mut text = format!("{INTRODUCTION}\nThe machine: {}.\n", results.machine);
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
    /// Makes a table without rows yet, whose rows are peers. The columns are separated by
    /// semicolons: "deliveries, M/s; pieces".
    pub(crate) fn new(name: &str, title: &str, caption: impl Into<String>, columns: &str) -> Self {
        Self {
            name: name.to_owned(),
            title: title.to_owned(),
            caption: caption.into(),
            subject: "peer".to_owned(),
            columns: columns.split("; ").map(ToOwned::to_owned).collect(),
            ..Self::default()
        }
    }

    /// Sets the heading of the first column, for rows that are not peers.
    pub(crate) fn subject(mut self, subject: &str) -> Self {
        subject.clone_into(&mut self.subject);
        self
    }

    /// Adds computed columns: `column` (counted from 0) as a multiple of each of these rows.
    pub(crate) fn ratios(mut self, column: usize, rows: &[&str]) -> Self {
        let against = rows.iter().map(|row| (*row).to_owned());
        self.ratios
            .extend(against.map(|against| Ratio { column, against }));
        self
    }

    /// Returns the heading of a column (counted from 0) without its unit.
    pub(crate) fn column_name(&self, column: usize) -> &str {
        let heading = &self.columns[column];
        heading.rsplit_once(", ").map_or(heading, |(name, _)| name)
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, peer: &str, figures: Vec<Option<Figure>>) {
        let peer = peer.to_owned();
        self.rows.push(Row { peer, figures });
    }

    /// Returns the figure of a row in a column (counted from 0).
    pub(crate) fn figure(&self, peer: &str, column: usize) -> Option<Figure> {
        let row = self.rows.iter().find(|row| row.peer == peer)?;
        *row.figures.get(column)?
    }

    /// Fills a column with numbers computed from the figures of each row and of the others.
    pub(crate) fn compute(&mut self, column: usize, of: impl Fn(&Self, &str) -> Option<f64>) {
        for index in 0..self.rows.len() {
            let value = of(self, &self.rows[index].peer);
            self.rows[index].figures[column] = Figure::of(value);
        }
    }
}

impl Figure {
    /// Returns the median of several rounds, without those that are NaN; `None` if none is left.
    pub(crate) fn of(samples: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = samples.into_iter().filter(|it| !it.is_nan()).collect();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let median = f64::midpoint(sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
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
    fn a_newer_table_replaces_the_earlier_one_of_its_name() {
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
        let odd = Figure::of([3.0, 1.0, 2.0]).unwrap();
        assert_eq!((odd.median, odd.min, odd.max), (2.0, 1.0, 3.0));
        let even = Figure::of([4.0, 1.0, 2.0, 3.0]).unwrap();
        assert_eq!((even.median, even.min, even.max), (2.5, 1.0, 4.0));
        assert_eq!(Figure::of([f64::NAN]), None);
    }

    #[test]
    fn a_column_has_its_unit_after_the_last_comma() {
        let table = Table::new("a", "A", "", "1,400-byte chunks, each event, ns; pieces");
        let names = [0, 1].map(|column| table.column_name(column));
        assert_eq!(names, ["1,400-byte chunks, each event", "pieces"]);
    }
}
