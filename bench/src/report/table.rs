//! The one result type: every scenario gives tables.

use serde::{Deserialize, Serialize};

/// What a scenario found: one row for each peer, one figure for each column.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Table {
    /// Names the table in files: lower case, with hyphens.
    pub(crate) name: String,
    pub(crate) title: String,
    /// What was done, in plain sentences.
    pub(crate) caption: String,
    /// What the first column holds: "peer", or what the rows are.
    pub(crate) subject: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Row>,
    /// Columns that the report computes from the others.
    pub(crate) ratios: Vec<Ratio>,
    /// What a reader has to know about single figures, in plain sentences.
    pub(crate) notes: Vec<String>,
    /// What went wrong: rows that are missing, and why.
    pub(crate) failures: Vec<String>,
    /// When, in UTC.
    #[serde(default)]
    pub(crate) measured: String,
}

/// What the figures below it are.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// Empty for a plain number.
    pub(crate) unit: String,
}

/// The figures of one peer, in the order of the columns.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Row {
    pub(crate) peer: String,
    /// Nothing where there is nothing to measure.
    pub(crate) figures: Vec<Option<Figure>>,
}

/// A median with its spread.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
pub(crate) struct Figure {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    /// What was measured had not ended by then.
    #[serde(default)]
    pub(crate) is_more: bool,
}

/// How each row's figure in a column relates to that of one row.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Ratio {
    /// Counted from 0.
    pub(crate) column: usize,
    /// The peer that counts as 1; nothing means the own framework of each row.
    pub(crate) against: Option<String>,
}

impl Table {
    /// A table without rows yet, whose rows are peers.
    pub(crate) fn new(name: &str, title: &str, caption: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            title: title.to_owned(),
            caption: caption.into(),
            subject: "peer".to_owned(),
            ..Self::default()
        }
    }

    /// One more column.
    pub(crate) fn column(mut self, name: &str, unit: &str) -> Self {
        self.columns.push(Column {
            name: name.to_owned(),
            unit: unit.to_owned(),
        });
        self
    }

    /// One more computed column: `column` (counted from 0) as a multiple of the row of `against`.
    pub(crate) fn ratio(mut self, column: usize, against: &str) -> Self {
        self.ratios.push(Ratio {
            column,
            against: Some(against.to_owned()),
        });
        self
    }

    /// One more computed column: `column` (counted from 0) as a multiple of the row's own framework.
    pub(crate) fn ratio_to_own(mut self, column: usize) -> Self {
        let against = None;
        self.ratios.push(Ratio { column, against });
        self
    }

    /// The figure of a row in a column (counted from 0).
    pub(crate) fn figure(&self, peer: &str, column: usize) -> Option<Figure> {
        let row = self.rows.iter().find(|row| row.peer == peer)?;
        *row.figures.get(column)?
    }

    /// One more row.
    pub(crate) fn push(&mut self, peer: &str, figures: Vec<Option<Figure>>) {
        self.rows.push(Row {
            peer: peer.to_owned(),
            figures,
        });
    }
}

impl Figure {
    /// The median of what several rounds gave; nothing if there was no round.
    pub(crate) fn of(samples: &[f64]) -> Option<Self> {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let median = if sorted.len() % 2 == 1 {
            sorted[middle]
        } else {
            f64::midpoint(sorted[middle - 1], sorted[middle])
        };
        Some(Self {
            median,
            min,
            max,
            is_more: false,
        })
    }

    /// More than this; nobody knows how much.
    pub(crate) fn more_than(value: f64) -> Option<Self> {
        let is_more = true;
        Some(Self {
            is_more,
            ..Self::of(&[value])?
        })
    }

    /// The difference of two medians.
    pub(crate) fn minus(self, other: Self) -> Self {
        let difference = self.median - other.median;
        Self {
            median: difference,
            min: difference,
            max: difference,
            is_more: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_the_median_with_the_spread() {
        let odd = Figure::of(&[3.0, 1.0, 2.0]).unwrap();
        assert_eq!((odd.median, odd.min, odd.max), (2.0, 1.0, 3.0));
        let even = Figure::of(&[4.0, 1.0, 2.0, 3.0]).unwrap();
        assert_eq!((even.median, even.min, even.max), (2.5, 1.0, 4.0));
        assert_eq!(Figure::of(&[]), None);
    }
}
