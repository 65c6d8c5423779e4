//! Results in a file, so that the report can be rendered again without measuring.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use super::Table;
use crate::machine::Machine;

/// All that a report is made of.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Results {
    pub(crate) machine: Machine,
    pub(crate) tables: Vec<Table>,
}

impl Results {
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
        fs::write(path, serde_json::to_string_pretty(&self)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(self)
    }
}

/// The newer tables in the place of those of the same name, and behind them what is new.
fn merge(earlier: Vec<Table>, mut newer: Vec<Table>) -> Vec<Table> {
    let mut merged = Vec::new();
    for table in earlier {
        match newer.iter().position(|it| it.name == table.name) {
            Some(index) => merged.push(newer.remove(index)),
            None => merged.push(table),
        }
    }
    merged.append(&mut newer);
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_measured_again_replaces_what_was_there() {
        let table = |name: &str, title: &str| Table::new(name, title, "");
        let merged = merge(
            vec![table("a", "old"), table("b", "old")],
            vec![table("c", "new"), table("a", "new")],
        );
        let found: Vec<_> = merged.iter().map(|it| (&*it.name, &*it.title)).collect();
        assert_eq!(found, [("a", "new"), ("b", "old"), ("c", "new")]);
    }
}
