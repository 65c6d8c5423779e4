//! The step `adapters`: all tests of every adapter, and the table of suite cases by framework.

use std::collections::BTreeMap;
use std::io::{self, Write};

use anyhow::{Context as _, Result};

use crate::process::{cargo, run_tests_to};
use crate::test_counts::TestCounts;

/// The frameworks, in the order of the table's columns.
pub(super) const FRAMEWORKS: [&str; 5] = ["axum", "actix", "warp", "rocket", "poem"];

/// Runs the tests of one framework after the other, prints the table, and fails if anything failed.
pub(super) fn run(counts: &mut TestCounts) -> Result<()> {
    let mut matrix = Matrix::default();
    let mut result = Ok(());
    for framework in FRAMEWORKS {
        let package = format!("sse-{framework}");
        let mut command = cargo("test --all-features --no-fail-fast --package");
        let mut output = Tee::default();
        let ran = run_tests_to(command.arg(package), counts, &mut output);
        matrix.add(framework, &String::from_utf8_lossy(&output.copy));
        result = result.and(ran);
    }
    // Printed also after a failure, because the table shows which cells failed.
    println!("\n{}", matrix.table());
    result.context("see the table")
}

/// Standard output, with a copy of everything written to it.
#[derive(Default)]
struct Tee {
    copy: Vec<u8>,
}

impl Write for Tee {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = io::stdout().write(bytes)?;
        self.copy.extend_from_slice(&bytes[..length]);
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().flush()
    }
}

/// The result of each case on each framework.
#[derive(Default)]
struct Matrix {
    cases: BTreeMap<String, BTreeMap<&'static str, bool>>,
}

impl Matrix {
    /// Adds the results that `cargo test` printed. A case of the suite is a test without a module:
    /// `test NAME ... ok`.
    fn add(&mut self, framework: &'static str, output: &str) {
        for line in output.lines() {
            let result = line
                .strip_prefix("test ")
                .and_then(|rest| rest.split_once(" ... "));
            if let Some((case, result)) = result
                && !case.contains([':', ' '])
            {
                let is_ok = result.contains("ok");
                self.cases
                    .entry(case.to_owned())
                    .or_default()
                    .insert(framework, is_ok);
            }
        }
    }

    /// Returns a Markdown table of the cases that more than one framework has.
    fn table(&self) -> String {
        let mut lines = vec![
            format!("| adapter suite | {} |", FRAMEWORKS.join(" | ")),
            format!("|---|{}", "---|".repeat(FRAMEWORKS.len())),
        ];
        for (case, results) in self.cases.iter().filter(|(_, results)| results.len() > 1) {
            let cells = FRAMEWORKS.map(|framework| match results.get(framework) {
                Some(true) => "passes",
                Some(false) => "FAILS",
                None => "missing",
            });
            lines.push(format!("| {case} | {} |", cells.join(" | ")));
        }
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_shows_passed_failed_and_missing_cases() {
        let mut matrix = Matrix::default();
        let axum =
            "running 2 tests\ntest first ... ok\ntest second ... FAILED\ntest own::case ... ok\n";
        matrix.add("axum", axum);
        matrix.add(
            "warp",
            "test first ... \x1b[32mok\x1b[m\ntest second ... ok\ntest of_its_own ... ok\n",
        );
        matrix.add(
            "poem",
            "test src/lib.rs - (line 3) ... ok\ntest first ... ok\n",
        );
        let table = matrix.table();
        let rows: Vec<&str> = table.lines().skip(2).collect();
        assert_eq!(
            rows,
            [
                "| first | passes | missing | passes | missing | passes |",
                "| second | FAILS | missing | passes | missing | missing |",
            ]
        );
    }
}
