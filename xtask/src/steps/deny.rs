//! The step `deny`: all dependencies, checked by cargo-deny against `deny.toml`.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::process::{self, cargo, succeeds};

/// The folder in which cargo-deny is installed. Nothing is installed for the user, and `target/`
/// can be deleted.
const TOOLS: &str = "target/tools";

/// The version that `deny.toml` is written for.
const VERSION: &str = "0.20.2";

/// Installs cargo-deny if there is none, then checks.
///
/// Advisories are left out: their database is cloned from another host, which a build machine may
/// be unable to reach, and a new entry in it would fail a commit that passed yesterday.
pub(super) fn run() -> Result<()> {
    if !succeeds(deny()?.arg("--version")) {
        println!("cargo-deny is not installed; installing {VERSION} into {TOOLS}");
        install()?;
    }
    process::run(deny()?.args(["check", "licenses", "bans", "sources"]))
}

/// Returns `cargo deny`, installed by this step or by the user.
fn deny() -> Result<Command> {
    let ours = PathBuf::from(TOOLS).join("bin");
    let installed = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([ours].into_iter().chain(std::env::split_paths(&installed)))
        .context("PATH cannot be extended")?;
    let mut command = cargo("deny");
    command.env("PATH", path);
    Ok(command)
}

/// Installs cargo-deny without its default features and unoptimised: it runs for a second and
/// should not build for minutes.
fn install() -> Result<()> {
    let mut command = cargo("install cargo-deny --locked --no-default-features --debug");
    process::run(command.args(["--version", VERSION, "--root", TOOLS]))
}
