//! The step `deny`: what we depend on, checked by cargo-deny against `deny.toml`.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::process::{self, cargo, succeeds};

/// Installed here, not for the user: `target/` can be thrown away.
const TOOLS: &str = "target/tools";

/// The version that `deny.toml` is written for.
const VERSION: &str = "0.20.2";

/// Installs cargo-deny if there is none, then checks.
///
/// Advisories are left out: their database is cloned from another host, which a build machine may
/// not reach, and a new entry there would fail a commit that passed yesterday.
pub(super) fn run() -> Result<()> {
    if !succeeds(deny()?.arg("--version")) {
        println!("cargo-deny is not installed; installing {VERSION} into {TOOLS}");
        install()?;
    }
    process::run(deny()?.args(["check", "licenses", "bans", "sources"]))
}

/// `cargo deny`, wherever it is installed.
fn deny() -> Result<Command> {
    let ours = PathBuf::from(TOOLS).join("bin");
    let installed = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([ours].into_iter().chain(std::env::split_paths(&installed)))
        .context("PATH cannot be extended")?;
    let mut command = cargo("deny");
    command.env("PATH", path);
    Ok(command)
}

/// Without its default features and without optimisation: it runs for a second, it should not
/// build for minutes.
fn install() -> Result<()> {
    let mut command = cargo("install cargo-deny --locked --no-default-features --debug");
    process::run(command.args(["--version", VERSION, "--root", TOOLS]))
}
