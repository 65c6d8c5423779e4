//! A history on disk: what it takes to write, to read and to open.
//!
//! Each measurement is a process of its own, which may use two cores: a store has threads of its own, and what it leaves
//! in memory would be the next one's.

mod append;
mod history;
mod open;
mod publish;
mod read;
mod redb;
mod task;

use anyhow::Result;

pub(crate) use self::task::measure;
use crate::{report::Table, scenarios::Bench};

pub(super) fn run(bench: &Bench) -> Result<Vec<Table>> {
    Ok(vec![
        append::table(bench),
        publish::table(bench),
        read::table(bench),
        open::table(bench)?,
    ])
}
