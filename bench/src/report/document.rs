//! `docs/bench/README.md`: everything in one document, with its pictures beside it.

use std::{fmt::Write as _, fs, path::Path};

use anyhow::{Context as _, Result};

use super::{Results, Table, chart::CHARTS, markdown};
use crate::machine::Machine;

/// What holds for all tables.
const INTRODUCTION: &str = include_str!("introduction.md");

/// Writes the document and its pictures into a folder.
pub(crate) fn write(results: &Results, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    };
    let mut text = format!("{INTRODUCTION}\n{}", machine(&results.machine));
    for table in &results.tables {
        let mut pictures = Vec::new();
        for chart in CHARTS.iter().filter(|chart| chart.table == table.name) {
            if let Some(svg) = chart.svg(table) {
                write(&format!("{}.svg", chart.name), &svg)?;
                pictures.push(format!("![{}]({}.svg)\n", chart.title, chart.name));
            }
        }
        text.push('\n');
        text.push_str(&section(table, &pictures));
    }
    write("README.md", &text)
}

/// One table with all that belongs to it, as the document and the terminal show it.
pub(crate) fn section(table: &Table, pictures: &[String]) -> String {
    let mut text = format!("## {}\n\n{}\n\n", table.title, table.caption);
    for picture in pictures {
        let _ = writeln!(text, "{picture}");
    }
    text.push_str(&markdown::table(table));
    for note in &table.notes {
        let _ = write!(text, "\n{note}\n");
    }
    for failure in &table.failures {
        let _ = write!(text, "\nNot measured: {failure}.\n");
    }
    if !table.measured.is_empty() {
        let _ = write!(text, "\nMeasured {}.\n", table.measured);
    }
    text
}

fn machine(machine: &Machine) -> String {
    let Machine {
        processor,
        cores,
        memory,
        kernel,
        rustc,
    } = machine;
    format!("The machine: {processor}, {cores} cores, {memory} of memory, {kernel}, {rustc}.\n")
}
