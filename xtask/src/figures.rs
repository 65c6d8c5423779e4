//! `cargo xtask figures`: the size of each crate and the state of its comments, as a table.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::tidy::comments::{COLUMNS, doc_comments, is_question, is_too_wide};
use crate::tidy::tree::{File, Tree};

/// The figures of one crate.
#[derive(Debug, Default)]
struct Figures {
    /// Lines of each file.
    lengths: Vec<usize>,
    docs: usize,
    questions: usize,
    wide: usize,
}

/// Prints a row for each crate and one for all.
pub(crate) fn run() -> Result<()> {
    let tree = Tree::load()?;
    let mut crates = BTreeMap::<&str, Figures>::new();
    for file in tree.rust() {
        crates.entry(part(&file.path)).or_default().add(file);
        crates.entry("~ all").or_default().add(file);
    }
    println!(
        "{:24} {:>5} {:>6} {:>6} {:>5} {:>5} {:>9} {:>5}",
        "crate", "files", "lines", "median", "p90", "docs", "questions", "wide"
    );
    for (name, figures) in &mut crates {
        println!("{name:24} {}", figures.row());
    }
    println!("\nquestions: doc comments that begin with a question word, in per cent;");
    println!("wide: comment lines over {COLUMNS} columns");
    Ok(())
}

impl Figures {
    fn add(&mut self, file: &File) {
        self.lengths.push(file.text.lines().count());
        self.docs += doc_comments(file).count();
        self.questions += doc_comments(file)
            .filter(|(_, text)| is_question(text))
            .count();
        self.wide += file.lines().filter(|(_, line)| is_too_wide(line)).count();
    }

    fn row(&mut self) -> String {
        self.lengths.sort_unstable();
        let at = |percent: usize| self.lengths[(self.lengths.len() - 1) * percent / 100];
        format!(
            "{:5} {:6} {:6} {:5} {:5} {:8}% {:5}",
            self.lengths.len(),
            self.lengths.iter().sum::<usize>(),
            at(50),
            at(90),
            self.docs,
            self.questions * 100 / self.docs.max(1),
            self.wide
        )
    }
}

/// A crate and its kind of files: `sse-core/src`, `sse-core/tests`, `bench`.
fn part(path: &str) -> &str {
    let folders = if path.starts_with("sse-") { 2 } else { 1 };
    match path.match_indices('/').nth(folders - 1) {
        Some((end, _)) => &path[..end],
        None => path,
    }
}
