//! The step `fuzz`: every fuzz target of `fuzz/`, run by libFuzzer for a while.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::debian::{self, Program};
use crate::process::{self, cargo};

/// The binaries of `fuzz/Cargo.toml`, each with its seeds in `fuzz/seeds/NAME`.
const TARGETS: &[&str] = &["decoder"];

/// The folder of everything that is built and found by this step.
const FOLDER: &str = "target/fuzz";

/// The length of a run, about twenty seconds. It is counted in inputs, always from the same seed,
/// and never depends on the clock, so that a commit passes or fails on every machine alike, and
/// again when it is repeated. `cargo fuzz`, which begins with another seed each time, finds more.
const LENGTH: &[&str] = &["-runs=500000", "-seed=1", "-reload=0"];

/// The options of a run. Streams need not be longer to be odd.
const OPTIONS: &[&str] = &["-max_len=256"];

/// The compiler of the fuzzer itself.
const COMPILER: Program = Program {
    name: "a C++ compiler",
    check: "c++ --version",
    packages: "g++",
};

/// Checks the targets as all other code, then runs each for a fixed number of inputs.
///
/// It needs neither nightly nor cargo-fuzz: `fuzz/instrument.toml` has the same flags for a stable
/// compiler.
pub(super) fn run() -> Result<()> {
    debian::provide(&[&COMPILER])?;
    process::run(&mut cargo(
        "fmt --all --check --manifest-path fuzz/Cargo.toml",
    ))?;
    process::run(instrumented("clippy").args(["--", "-D", "warnings"]))?;
    TARGETS.iter().try_for_each(|target| fuzz(target))
}

fn fuzz(target: &str) -> Result<()> {
    process::run(instrumented("build").args(["--bin", target]))?;
    // The remains of an earlier run would change this one.
    let corpus = emptied("corpus", target)?;
    let artifacts = emptied("artifacts", target)?;
    let run = || {
        let mut command = instrumented("run");
        command.args(["--bin", target, "--"]);
        command
    };
    let mut command = run();
    command.args([&corpus, &PathBuf::from(format!("fuzz/seeds/{target}"))]);
    command.arg(format!("-dict=fuzz/{target}.dict"));
    // A prefix of names, not a folder: it ends with a slash.
    command.arg(format!("-artifact_prefix={}/", artifacts.display()));
    command.args(LENGTH).args(OPTIONS);

    // The output is long, and only its end is worth reading.
    let log = Path::new(FOLDER).join(format!("{target}.log"));
    let to = fs::File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
    let ended = process::run(command.stderr(to));
    let said = fs::read(&log).with_context(|| format!("cannot read {}", log.display()))?;
    print_end(&String::from_utf8_lossy(&said), ended.is_ok());

    if let Some(found) = files(&artifacts)?.pop() {
        let again = process::line(run().arg(&found));
        let found = found.display();
        bail!("{target} fails for the input in {found}; `{again}` repeats it");
    }
    ended?;
    if files(&corpus)?.is_empty() {
        bail!("nothing was added to the seeds of {target}: the fuzzer does not see what runs");
    }
    Ok(())
}

/// Prints the line with the result, or the lines that led to a failure.
fn print_end(said: &str, is_good: bool) {
    let mut lines: Vec<&str> = said.lines().collect();
    if is_good {
        lines.retain(|line| line.contains("DONE"));
    }
    for line in &lines[lines.len().saturating_sub(60)..] {
        println!("{line}");
    }
}

/// Returns a command for `fuzz/`, built with the instrumentation that the fuzzer needs.
fn instrumented(command: &str) -> Command {
    let mut command = cargo(&format!(
        "{command} --release --manifest-path fuzz/Cargo.toml \
         --config fuzz/instrument.toml --target-dir {FOLDER}"
    ));
    // The variable would replace the flags of the file.
    command.env_remove("RUSTFLAGS");
    command
}

/// Returns an empty folder for the target.
fn emptied(kind: &str, target: &str) -> Result<PathBuf> {
    let folder = Path::new(FOLDER).join(kind).join(target);
    if folder.exists() {
        fs::remove_dir_all(&folder)
            .with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    Ok(folder)
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let cannot = || format!("cannot read {}", folder.display());
    let entries = fs::read_dir(folder).with_context(cannot)?;
    entries
        .map(|entry| Ok(entry.with_context(cannot)?.path()))
        .collect()
}
