//! The table of the steps of `test-all`. A new step is one more row and its function.

mod adapters;
mod browser;
mod clients;
mod debian;
mod deny;
mod examples;
mod fuzz;

use anyhow::{Context as _, Result};

use crate::process::{cargo, run, run_tests};
use crate::test_counts::TestCounts;
use crate::{manifest, tidy};

/// One thing that `test-all` checks.
#[derive(Debug)]
pub(crate) struct Step {
    /// The name that `--step` takes.
    pub(crate) name: &'static str,
    /// One line that names the subject of the check.
    pub(crate) description: &'static str,
    /// Runs the step, and adds the tests that it ran, if any.
    pub(crate) run: fn(&mut TestCounts) -> Result<()>,
}

/// All steps, the cheap ones first, so that most failures come early.
pub(crate) const STEPS: &[Step] = &[
    Step {
        name: "format",
        description: "the code is formatted by rustfmt",
        run: |_| run(&mut cargo("fmt --all --check")),
    },
    Step {
        name: "tidy",
        description: "the house rules and the invariants of ARCHITECTURE.md hold",
        run: |_| tidy::run(),
    },
    Step {
        name: "clippy",
        description: "no lint warns, in any target",
        run: |_| {
            run(cargo("clippy --workspace --all-targets --all-features")
                .args(["--", "-D", "warnings"]))
        },
    },
    Step {
        name: "features",
        description: "sse-wire, sse-core and sse-client build without features and with each alone",
        run: |_| features(),
    },
    Step {
        name: "deny",
        description: "licenses, duplicates and sources of all dependencies (cargo-deny)",
        run: |_| deny::run(),
    },
    Step {
        name: "test",
        description: "unit, integration and doc tests of everything but the adapters",
        run: test,
    },
    Step {
        name: "models",
        description: "the fan-out under a model checker: every interleaving of threads (loom)",
        run: models,
    },
    Step {
        name: "fuzz",
        description: "the decoder on half a million streams made up by a fuzzer (libFuzzer)",
        run: |_| fuzz::run(),
    },
    Step {
        name: "adapters",
        description: "every adapter passes the adapter suite; prints a table of cases by framework",
        run: adapters::run,
    },
    Step {
        name: "doc",
        description: "the documentation builds without a warning",
        run: |_| {
            let mut command = cargo("doc --workspace --no-deps --all-features");
            run(command.env("RUSTDOCFLAGS", "-D warnings"))
        },
    },
    Step {
        name: "bench",
        description: "the benchmarks run and account for every delivery; nothing is timed",
        run: bench,
    },
    Step {
        name: "examples",
        description: "the example app keeps its contract in every framework",
        run: examples::run,
    },
    Step {
        name: "clients",
        description: "the clients that people use understand the streams of every framework",
        run: clients::run,
    },
    Step {
        name: "browser",
        description: "the example app in a real browser (headless Chromium)",
        run: browser::run,
    },
];

/// Runs all tests, also after a failure, so that the counts are complete.
fn test(counts: &mut TestCounts) -> Result<()> {
    let mut command = cargo("test --workspace --no-fail-fast --exclude e2e --all-features");
    for framework in adapters::FRAMEWORKS {
        command.args(["--exclude", &format!("sse-{framework}")]);
    }
    run_tests(&mut command, counts)
}

/// Runs the models, built in their own folder, because the flag makes other builds of everything.
fn models(counts: &mut TestCounts) -> Result<()> {
    let mut command = cargo("test --package sse-models --tests --target-dir target/models");
    run_tests(command.env("RUSTFLAGS", "--cfg sse_model"), counts)
}

/// Checks `bench`, a separate workspace, in the same target folder, so that shared dependencies
/// are built once.
fn bench(counts: &mut TestCounts) -> Result<()> {
    let bench = |words: &str, rest: &str| {
        cargo(&format!(
            "{words} --manifest-path bench/Cargo.toml --target-dir target {rest}"
        ))
    };
    run(&mut cargo(
        "fmt --all --check --manifest-path bench/Cargo.toml",
    ))?;
    run(&mut bench("clippy", "--all-targets -- -D warnings"))?;
    run_tests(&mut bench("test", "--bins"), counts)?;
    run(&mut bench("build", "--bins"))?;
    run(&mut bench("run", "--bin sse-bench -- run --quick"))
}

/// Checks each feature alone, with `clippy` and not `check`, because an import that a feature
/// leaves unused is only a warning.
fn features() -> Result<()> {
    for package in ["sse-wire", "sse-core", "sse-client"] {
        let path = format!("{package}/Cargo.toml");
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        let alone = format!("clippy --package {package} --no-default-features");
        run(cargo(&alone).args(["--", "-D", "warnings"]))?;
        for feature in manifest::features(&text) {
            run(cargo(&alone).args(["--features", feature.key, "--", "-D", "warnings"]))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn step_names_are_distinct() {
        let mut names: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), STEPS.len());
    }
}
