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
    client::{CLIENTS, Client, Opening, Program},
    driver::installed,
    run::Verdicts,
};

const HEAD: &str = "\
# Real clients

`cargo xtask test-all --step clients` measures this and writes it to `target/clients/matrix.md`; to renew this page,
copy that file here. All clients follow one stream of the example app of each framework, at the same time. A client
passes if it

1. connects, is cut off before its first message, and reacts to [the opening](#the-opening) as that section says;
2. receives 1,000 events in order, each once: data of several lines, with empty ones, leading spaces, no data,
   characters that are not ASCII, text that looks like fields or line breaks, 70 kB; and custom types;
3. sits through keep-alives without taking one for an event;
4. continues after a cut connection, with nothing lost and nothing repeated;
5. connects again after the server has been ended with SIGTERM and restarted, is told by an `event: gap` that its
   last event id is unknown there, and receives what is published from then on.
";

const OPENING: &str = "

## The opening

A stream begins with the id of the place where it begins, and a blank line: `id: nmx051grqvg92-5.b52f20d20807d798`,
without data. The standard has a client keep that id and dispatch nothing, so that a client that is cut off before
its first message comes back with the id and gets the messages published meanwhile. Not every library does so.
Measured by the first step above:

| client | dispatches | comes back with the id, and misses nothing |
|---|---|---|
";

const ADVICE: &str = "
- **An event without data**: keep its id, as that of any other, and then ignore it: `if (!event.data) return`. Its
  type is that of a message without one, `\"\"` in `fetch-event-source` and `message` in `httpx-sse`. A client gets it
  once, because one that comes back with an id is not told another. For users who cannot ignore it,
  `HubBuilder::opening_id(false)` or `SseBody::opening_id(false)` turns the opening off for all streams or for one.
  The same two clients are tested with that: there is no such event, and messages published while they are cut off
  before their first one are lost to them.
- **Comes back without an id**: these clients keep an id only with an event that has data. Until the first one they
  are new each time, and no server can tell them from clients that really are. Load the current state whenever the
  stream opens (`onopen`), not only at the beginning; or let clients without an id begin with everything that is
  kept, `ResumeFrom::or_earliest`.
- **A reload** is a new `EventSource`, which knows no id, and no browser shows a page the id before the first
  message.

The opening is on by default because of the price of either setting. With it, two libraries make one empty event,
which their users see the first time they try, and ignore in one line of code. Without it, every client loses a
message now and then, on bad networks, in silence.

## In a browser

- **Six streams to a host**: over HTTP/1.1 a browser opens no more than six connections to a host, for all tabs
  together. The seventh tab already waits for its page. Use HTTP/2, which has one connection for all, or share one
  stream among tabs (`SharedWorker`, `BroadcastChannel`).
- **A page that was left** is kept in case the user goes back, by Chromium for a minute, and its stream with it: one
  of the six connections, and one of the places if their number is limited. Close it: `addEventListener(\"pagehide\",
  () => source.close())`, and open another at `pageshow`, as the page of the example app does.
- **A refusal that will pass** (a hub that is full, a shutdown) is a stream that ends at once: `open`, then `error`
  with `readyState` `CONNECTING`, and the browser comes back by itself after 5 to 10 s. So `open` alone does not say
  that a page is subscribed. A page that is refused for a gap (`OnGap::Refuse`) is told by `event: gap` each time it
  comes, until it loads the current state and opens a new `EventSource`.
";

/// Adds the verdicts on one framework, and writes all known so far.
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
            "\n\nFaults of a client, which its tests expect:\n{faults}"
        )?;
    }
    text.push_str(OPENING);
    for client in CLIENTS {
        let (makes, comes_back) = match client.opening {
            Opening::Kept => ("nothing", "yes"),
            Opening::Dispatched => ("an event without data", "yes"),
            Opening::Forgotten => ("nothing", "**no**"),
        };
        writeln!(text, "| {} | {makes} | {comes_back} |", client.title)?;
    }
    text.push_str(ADVICE);
    Ok(text)
}

/// Returns the installed version, or the one that the package manager was told to install.
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

/// Returns the first number that `program --version` prints.
fn printed(program: &str) -> Result<String> {
    let output = Command::new(program).arg("--version").output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut words = text.split_whitespace();
    let version = words.find(|word| word.starts_with(|first: char| first.is_ascii_digit()));
    Ok(version
        .with_context(|| format!("{program} does not print its version"))?
        .to_owned())
}
