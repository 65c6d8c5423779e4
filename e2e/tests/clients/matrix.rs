//! The table of clients by framework, in Markdown.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    process::Command,
    sync::{Mutex, PoisonError},
};

use anyhow::{Context as _, Result};
use e2e::App;
use serde_json::Value;

use crate::{
    client::{CLIENTS, Client, Program},
    driver::installed,
    run::Verdicts,
};

const HEAD: &str = "\
# Real clients

`cargo xtask test-all --step clients` measures this and writes it to `target/clients/matrix.md`; to renew this page, copy that
file here. All clients follow one stream of the example app of each framework, at the same time. A client passes if it

1. connects, and gets 1,000 events in order, each once: data of several lines, with empty ones, leading spaces, no data, what is
   not ASCII, what looks like fields or like line breaks, 70 kB; and types of its own;
2. sits through keep-alives without an event that is none;
3. continues where it was after its connection was cut, with nothing lost and nothing double;
4. connects again after the server was ended with SIGTERM and started again, is told by an `event: gap` that its last event id is
   unknown there, and gets what is published from then on.
";

/// Adds what became of the clients on one framework, and writes what is known so far.
pub(crate) fn write(app: App, verdicts: &Verdicts) -> Result<()> {
    static KNOWN: Mutex<BTreeMap<App, Verdicts>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.insert(app, verdicts.clone());
    let path = installed()?.join("matrix.md");
    fs::write(&path, text(&known)?).with_context(|| format!("{}", path.display()))
}

fn text(known: &BTreeMap<App, Verdicts>) -> Result<String> {
    let mut text = format!("{HEAD}\n| client | version |");
    for app in known.keys() {
        write!(text, " {app} |")?;
    }
    write!(text, "\n|---|---|{}", "---|".repeat(known.len()))?;
    let mut faults = String::new();
    let mut count = 0;
    for client in CLIENTS {
        let mut marks = String::new();
        for fault in client.faults {
            count += 1;
            write!(marks, "[^{count}]")?;
            write!(faults, "\n[^{count}]: {} {}.", client.title, fault.reason)?;
        }
        write!(text, "\n| {}{marks} | {} |", client.title, version(client)?)?;
        for verdicts in known.values() {
            let cell = match verdicts.get(client.name) {
                Some(Ok(())) => "passes",
                Some(Err(failure)) => failure.split(": not so.").next().unwrap_or(failure),
                None => "not tried",
            };
            let failed = if cell == "passes" { "" } else { "**fails:** " };
            write!(text, " {failed}{cell} |")?;
        }
    }
    if !faults.is_empty() {
        write!(
            text,
            "\n\nWhere a client is wrong by itself, its own reading is what is expected of it:\n{faults}"
        )?;
    }
    text.push('\n');
    Ok(text)
}

/// As it is installed, or as the package manager was told.
fn version(client: &Client) -> Result<String> {
    let package = client.title.split('`').nth(1).unwrap_or_default();
    match client.program {
        Program::Chromium => printed("chromium"),
        Program::Node("curl.mjs") => printed("curl"),
        Program::Node(_) => {
            let manifest: Value = serde_json::from_str(include_str!("../../clients/package.json"))?;
            let version = manifest["dependencies"][package].as_str();
            Ok(version.context("a package of npm")?.to_owned())
        }
        // The packages of the workspace have one version.
        Program::Rust(_) => Ok(env!("CARGO_PKG_VERSION").to_owned()),
        Program::Python(_) => {
            let list = include_str!("../../clients/requirements.txt");
            let mut versions = list.lines().filter_map(|line| line.split_once("=="));
            let version = versions.find(|(name, _)| *name == package);
            Ok(version.context("a package of PyPI")?.1.to_owned())
        }
    }
}

/// The first number that `program --version` prints.
fn printed(program: &str) -> Result<String> {
    let output = Command::new(program).arg("--version").output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut words = text.split_whitespace();
    let version = words.find(|word| word.starts_with(|first: char| first.is_ascii_digit()));
    Ok(version
        .with_context(|| format!("{program} does not print its version"))?
        .to_owned())
}
