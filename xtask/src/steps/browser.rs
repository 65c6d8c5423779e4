//! The step `browser`: the example app in headless Chromium, driven by the crate `e2e`.

use std::process::Command;

use anyhow::{Result, bail};

use crate::process::{self, cargo, succeeds};
use crate::test_counts::TestCounts;

/// The programs that `e2e` starts, and the Debian packages that have them.
const PROGRAMS: [&str; 2] = ["chromium", "chromedriver"];
const INSTALL: &str = "install -y --no-install-recommends chromium chromium-driver";

/// Installs the browser where it may, builds the example app and runs the tests against it.
pub(super) fn run(counts: &mut TestCounts) -> Result<()> {
    provide_browser()?;
    build_example()?;
    process::run_tests(
        &mut cargo("test --package e2e --test browser --no-fail-fast"),
        counts,
    )
}

/// `e2e` starts the built program, and cargo builds only what a test depends on.
pub(super) fn build_example() -> Result<()> {
    process::run(&mut cargo("build --package example-axum"))
}

fn provide_browser() -> Result<()> {
    let missing = missing_programs();
    if missing.is_empty() {
        return Ok(());
    }
    let missing = missing.join(" and ");
    if !succeeds(Command::new("apt-get").arg("--version")) {
        bail!("{missing} not found, and this is not Debian: install them so that they are on PATH");
    }
    if !is_root() {
        bail!("{missing} not found; run `sudo apt-get update && sudo apt-get {INSTALL}`");
    }
    println!("{missing} not found; installing the Debian packages chromium and chromium-driver");
    process::run(&mut apt_get("update"))?;
    process::run(&mut apt_get(INSTALL))?;
    let missing = missing_programs();
    if !missing.is_empty() {
        bail!(
            "{} not found, although the packages are installed",
            missing.join(" and ")
        );
    }
    Ok(())
}

fn missing_programs() -> Vec<&'static str> {
    PROGRAMS
        .into_iter()
        .filter(|program| !succeeds(Command::new(program).arg("--version")))
        .collect()
}

/// Asks `id`, because the standard library cannot say it without unsafe code.
fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn apt_get(arguments: &str) -> Command {
    let mut command = Command::new("apt-get");
    command.args(arguments.split_whitespace());
    // Nobody is there to answer a question of a package.
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}
