//! `cargo xtask test-all`: runs the steps and ends with a table and one line of test counts.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use clap::builder::PossibleValuesParser;

use crate::steps::{STEPS, Step};
use crate::test_counts::TestCounts;

/// The options of `cargo xtask test-all`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Run only this step; may be given several times
    #[arg(long = "step", value_name = "NAME", value_parser = step_names())]
    steps: Vec<String>,
    /// List the steps and run nothing
    #[arg(long)]
    list: bool,
    /// Go on after a step that failed
    #[arg(long)]
    keep_going: bool,
}

/// Runs the steps in the order of the table. The last line on stdout is `N passed, M failed`.
///
/// A step that fails without a failed test (a lint, a build error) counts as one failure.
pub(crate) fn run(options: &Options) -> ExitCode {
    if options.list {
        print!("{}", list(STEPS));
        return ExitCode::SUCCESS;
    }
    let chosen: Vec<&Step> = STEPS
        .iter()
        .filter(|step| options.steps.is_empty() || options.steps.iter().any(|it| it == step.name))
        .collect();
    let reports = run_steps(&chosen, options.keep_going);
    print!("\n{}", summary(&chosen, &reports));
    if reports.iter().all(|report| report.is_ok) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn step_names() -> PossibleValuesParser {
    PossibleValuesParser::new(STEPS.iter().map(|step| step.name))
}

/// The result of one step.
struct Report {
    is_ok: bool,
    counts: TestCounts,
    elapsed: Duration,
}

/// Runs the steps. The result is shorter than `steps` if a failed step ended the run.
fn run_steps(steps: &[&Step], keep_going: bool) -> Vec<Report> {
    let mut reports = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let place = format!("[{}/{}]", index + 1, steps.len());
        println!("\n{place} {} ...", step.name);
        let report = run_step(step);
        let result = result_word(&report);
        println!(
            "{place} {} {result}, {:.1} s",
            step.name,
            report.elapsed.as_secs_f64()
        );
        let is_ok = report.is_ok;
        reports.push(report);
        if !is_ok && !keep_going {
            break;
        }
    }
    reports
}

fn run_step(step: &Step) -> Report {
    let start = Instant::now();
    let mut counts = TestCounts::default();
    let result = (step.run)(&mut counts);
    if let Err(error) = &result {
        // On stdout, so that it is in its place even if stderr goes elsewhere.
        println!("error: {error:#}");
        counts.failed = counts.failed.max(1);
    }
    Report {
        is_ok: result.is_ok(),
        counts,
        elapsed: start.elapsed(),
    }
}

/// Returns the closing table with the counts as its last line.
fn summary(steps: &[&Step], reports: &[Report]) -> String {
    let mut lines = vec![row("step", "result", "seconds")];
    let mut total = TestCounts::default();
    for report in reports {
        total += report.counts;
    }
    for (index, step) in steps.iter().enumerate() {
        lines.push(match reports.get(index) {
            Some(report) => {
                let seconds = format!("{:.1}", report.elapsed.as_secs_f64());
                row(step.name, result_word(report), &seconds)
            }
            None => row(step.name, "not run", "-"),
        });
    }
    lines.push(format!(
        "{} passed, {} failed\n",
        total.passed, total.failed
    ));
    lines.join("\n")
}

fn row(step: &str, result: &str, seconds: &str) -> String {
    format!("{step:<10} {result:<8} {seconds:>8}")
}

fn result_word(report: &Report) -> &'static str {
    if report.is_ok { "ok" } else { "FAILED" }
}

fn list(steps: &[Step]) -> String {
    let line = |step: &Step| format!("{:<10} {}\n", step.name, step.description);
    steps.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use anyhow::bail;
    use clap::Parser as _;

    use super::*;

    const GOOD: Step = Step {
        name: "good",
        description: "passes two tests",
        run: |counts| {
            counts.passed = 2;
            Ok(())
        },
    };
    const RED: Step = Step {
        name: "red",
        description: "has three failed tests",
        run: |counts| {
            counts.failed = 3;
            bail!("three tests failed")
        },
    };
    const LINT: Step = Step {
        name: "lint",
        description: "fails and runs no test",
        run: |_| bail!("untidy"),
    };

    #[test]
    fn the_last_line_is_the_counts() {
        let rows: [(&[&Step], bool, &str); 5] = [
            (&[&GOOD, &GOOD], false, "4 passed, 0 failed"),
            (&[&GOOD, &LINT, &GOOD], false, "2 passed, 1 failed"),
            (&[&GOOD, &LINT, &GOOD], true, "4 passed, 1 failed"),
            (&[&RED, &GOOD], false, "0 passed, 3 failed"),
            (&[&RED, &LINT, &GOOD], true, "2 passed, 4 failed"),
        ];
        for (steps, keep_going, last_line) in rows {
            let text = summary(steps, &run_steps(steps, keep_going));
            assert!(text.ends_with(&format!("\n{last_line}\n")), "{text}");
        }
    }

    #[test]
    fn a_failed_step_ends_the_run_and_the_table_shows_the_steps_not_run() {
        let steps = [&LINT, &GOOD];
        let text = summary(&steps, &run_steps(&steps, false));
        let words: Vec<Vec<&str>> = text
            .lines()
            .map(|line| line.split_whitespace().take(2).collect())
            .collect();
        assert_eq!(words[1], ["lint", "FAILED"]);
        assert_eq!(words[2], ["good", "not"]);
    }

    #[test]
    fn every_step_is_listed_with_its_description() {
        assert_eq!(list(&[GOOD]), "good       passes two tests\n");
    }

    #[test]
    fn an_unknown_step_is_refused_with_a_list_of_all_steps() {
        #[derive(Debug, clap::Parser)]
        struct Line {
            #[command(flatten)]
            options: Options,
        }
        let error = Line::try_parse_from(["test-all", "--step", "nonsense"]).unwrap_err();
        let text = error.to_string();
        for step in STEPS {
            assert!(text.contains(step.name), "{text}");
        }
        let line = Line::try_parse_from(["test-all", "--step", "tidy", "--step", "doc"]).unwrap();
        assert_eq!(line.options.steps, ["tidy", "doc"]);
    }
}
