//! The step `clients`: the clients that people use, against the example app of every framework.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::browser::CHROMIUM;
use super::debian::{self, Program};
use super::examples;
use crate::process::{self, cargo};
use crate::test_counts::TestCounts;

/// The programs that run the clients, besides the browser.
const PROGRAMS: [&Program; 4] = [
    &Program {
        name: "node",
        check: "node --version",
        packages: "nodejs",
    },
    &Program {
        name: "npm",
        check: "npm --version",
        packages: "npm",
    },
    &Program {
        name: "python3 with venv and pip",
        check: "python3 -m ensurepip --version",
        packages: "python3 python3-venv",
    },
    &Program {
        name: "curl",
        check: "curl --version",
        packages: "curl",
    },
];

/// The oldest Node.js that the clients from npm support.
const OLDEST_NODE: u32 = 20;

/// The folder with the lists of packages, which name exact versions.
const LISTS: &str = "e2e/clients";

/// The folder in which the clients are installed. Nothing is installed for the user, and `target/`
/// can be deleted.
const FOLDER: &str = "target/clients";

/// Installs the clients, tries them, and prints the table of clients by framework.
pub(super) fn run(counts: &mut TestCounts) -> Result<()> {
    let programs: Vec<&Program> = PROGRAMS.into_iter().chain(CHROMIUM).collect();
    debian::provide(&programs)?;
    check_node()?;
    install()?;
    examples::build()?;
    let table = Path::new(FOLDER).join("matrix.md");
    // The table of an earlier run would be taken for the result of this one.
    if table.exists() {
        fs::remove_file(&table).with_context(|| format!("cannot remove {}", table.display()))?;
    }
    let result = process::run_tests(
        &mut cargo("test --package e2e --test clients --no-fail-fast"),
        counts,
    );
    if let Ok(table) = fs::read_to_string(&table) {
        println!("{table}");
    }
    result
}

fn check_node() -> Result<()> {
    let output = Command::new("node").arg("--version").output()?;
    let version = String::from_utf8_lossy(&output.stdout);
    if major(&version).is_none_or(|major| major < OLDEST_NODE) {
        bail!(
            "the clients need Node.js {OLDEST_NODE} or newer; put a newer `node` than {} on PATH",
            version.trim()
        );
    }
    Ok(())
}

/// Returns the first number in `v20.1.0`.
fn major(version: &str) -> Option<u32> {
    let (major, _) = version.trim().trim_start_matches('v').split_once('.')?;
    major.parse().ok()
}

fn install() -> Result<()> {
    fs::create_dir_all(FOLDER).with_context(|| format!("cannot create {FOLDER}"))?;
    unless_installed("package-lock.json", || {
        copy("package.json")?;
        copy("package-lock.json")?;
        let mut npm = Command::new("npm");
        npm.args(["ci", "--no-audit", "--no-fund", "--prefix", FOLDER]);
        process::run(&mut npm)
    })?;
    unless_installed("requirements.txt", || {
        let venv = format!("{FOLDER}/venv");
        process::run(Command::new("python3").args(["-m", "venv", "--clear", &venv]))?;
        let mut pip = Command::new(format!("{venv}/bin/pip"));
        pip.args(["install", "--quiet", "--disable-pip-version-check"]);
        process::run(pip.args(["--requirement", &format!("{LISTS}/requirements.txt")]))
    })
}

/// Installs the packages of a list, unless the same list was installed last.
fn unless_installed(list: &str, install: impl FnOnce() -> Result<()>) -> Result<()> {
    let wanted = format!("{LISTS}/{list}");
    let wanted = fs::read(&wanted).with_context(|| format!("cannot read {wanted}"))?;
    let stamp = format!("{FOLDER}/{list}.installed");
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    println!("installing the clients listed in {LISTS}/{list} into {FOLDER}");
    install()?;
    fs::write(&stamp, wanted).with_context(|| format!("cannot write {stamp}"))
}

fn copy(file: &str) -> Result<()> {
    fs::copy(format!("{LISTS}/{file}"), format!("{FOLDER}/{file}"))
        .with_context(|| format!("cannot copy {file} to {FOLDER}"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_of_node_is_read() {
        let rows = [("v20.19.0\n", Some(20)), ("v8.1.0", Some(8)), ("", None)];
        for (text, expected) in rows {
            assert_eq!(major(text), expected, "{text}");
        }
    }
}
