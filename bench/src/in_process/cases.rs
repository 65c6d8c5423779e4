//! The rows of a table, each with what measures it.

use anyhow::Result;

use crate::{report::Table, scenarios::Bench};

/// One row of a table: its name, and what measures a figure for each column.
pub(super) struct Case<'a> {
    row: String,
    measure: Box<dyn FnMut() -> Result<Vec<f64>> + 'a>,
}

impl<'a> Case<'a> {
    /// A row, and what measures it once: one figure for each column of the table.
    pub(super) fn new(
        row: impl Into<String>,
        measure: impl FnMut() -> Result<Vec<f64>> + 'a,
    ) -> Self {
        Self {
            row: row.into(),
            measure: Box::new(measure),
        }
    }
}

/// Fills a table with a row for each case, measured in turn, round after round.
pub(super) fn fill<'a>(
    bench: &Bench,
    mut table: Table,
    cases: impl IntoIterator<Item = Case<'a>>,
) -> Table {
    let mut cases: Vec<Case<'a>> = cases.into_iter().collect();
    let rows: Vec<String> = cases.iter().map(|case| case.row.clone()).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    bench.fill(&mut table, &rows, |row| {
        let mut sample = Vec::new();
        for case in cases.iter_mut().filter(|case| case.row == row) {
            sample.extend((case.measure)()?.into_iter().map(Some));
        }
        Ok(sample)
    });
    table
}
