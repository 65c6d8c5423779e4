//! Everyone reconnects at once, each with 100 messages to catch up with, also while others publish.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, Result, bail};

use super::{
    Bench,
    fan_out::SIZE,
    rounds::Sample,
    units::{each, kilobytes, microseconds, milliseconds},
};
use crate::{
    clients::{Clients, Connect, IN_FLIGHT},
    clock,
    process::Process,
    report::{Table, whole},
    scratch,
    server::{Command, Published},
};

const PEER: &str = "ours-axum";
const MISSED: usize = 100;
const RATE: u64 = 1_000;

/// Messages in the history before the storm, more than anybody has missed.
const BEFORE: u64 = 1_000;

/// When clients come and messages are published.
#[derive(Clone, Copy, Debug)]
enum Moment {
    Quiet,
    Storm,
    Both,
    After,
}

const MOMENTS: [(Moment, &str); 4] = [
    (Moment::Quiet, "publishing, nobody connected"),
    (Moment::Storm, "storm, nobody publishes"),
    (Moment::Both, "storm while publishing"),
    (Moment::After, "publishing, all connected"),
];

/// Where the history is, and what that adds to the name of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Medium {
    Memory,
    Disk,
}

const MEDIA: [(Medium, &str); 2] = [(Medium::Memory, ""), (Medium::Disk, ", sse-store")];

pub(super) fn run(bench: &Bench) -> Result<Vec<Table>> {
    let (note, clients) = bench.clients(10_000, 200);
    let count = bench.size(4 * RATE, 300);
    let mut table = Table::new(
        "resume-storm",
        "Resume storm",
        format!(
            "{} clients connect as fast as the server accepts them, {IN_FLIGHT} at a time, each with the id of the message {MISSED} \
             back; until each has these {MISSED}. With publishing: {} messages of {SIZE} bytes at {} per \
             second to the same topic, begun just before; in the end each client has all of them, too. sse-axum with \
             a `FiniteReplayer`, or with a new `sse-store` at `Os`, whose threads run on the server's core, too; the peers cannot replay. \
             The publisher runs on the thread that serves: the call is what publishing itself takes, with `sse-store` until the \
             message is stored and delivered; late is from when a message was due until it was out.{note}",
            whole(clients as u64),
            whole(count),
            whole(RATE)
        ),
    )
    .column("all recovered after", "s")
    .column("CPU per client", "µs")
    .column("memory per client", "KB")
    .column("publish call p99", "µs")
    .column("publisher late p99", "ms");
    "case".clone_into(&mut table.subject);
    let cases = MEDIA.iter().flat_map(|(medium, suffix)| {
        let case =
            move |(moment, name): &(Moment, &str)| (format!("{name}{suffix}"), *moment, *medium);
        MOMENTS.iter().map(case)
    });
    let cases: Vec<(String, Moment, Medium)> = cases.collect();
    let rows: Vec<&str> = cases.iter().map(|(row, ..)| row.as_str()).collect();
    bench.fill(&mut table, &rows, |row| {
        let case = cases.iter().find(|(name, ..)| name == row);
        let (_, moment, medium) = case.context("there is no such case")?;
        measure(bench, *moment, *medium, clients, count)
    });
    Ok(vec![table])
}

fn measure(
    bench: &Bench,
    moment: Moment,
    medium: Medium,
    clients: usize,
    count: u64,
) -> Result<Sample> {
    // It has to outlive the server.
    let directory = scratch::directory()?;
    let arguments = history(medium, directory.path());
    let mut server = Process::start(PEER, bench.cores.server, &arguments)?;
    let id = missed_id(&mut server)?;
    let pace = Command::Pace {
        rate: RATE,
        count,
        size: SIZE,
    };
    match moment {
        Moment::Quiet => {
            server.tell(pace)?;
            let published = server.wait_published(Duration::from_mins(1))?;
            Ok(sample(None, Some(&published)))
        }
        Moment::Storm => {
            let storm = storm(&mut server, clients, &id, 0)?.1;
            Ok(sample(Some(storm), None))
        }
        Moment::Both => {
            server.tell(pace)?;
            let (mut clients, storm) = storm(&mut server, clients, &id, count)?;
            let published = drain(&server, &mut clients, count)?;
            Ok(sample(Some(storm), Some(&published)))
        }
        Moment::After => {
            let (mut clients, _) = storm(&mut server, clients, &id, 0)?;
            server.tell(pace)?;
            let published = drain(&server, &mut clients, count)?;
            Ok(sample(None, Some(&published)))
        }
    }
}

/// Seconds until all have recovered; microseconds of CPU time and kilobytes per client.
#[derive(Clone, Copy, Debug)]
struct Storm {
    seconds: f64,
    cpu: f64,
    memory: f64,
}

/// Room in the history for everything that is published.
fn history(medium: Medium, directory: &Path) -> Vec<String> {
    let mut arguments = vec!["--history".to_owned(), "20000".to_owned()];
    if medium == Medium::Disk {
        arguments.extend(["--store".to_owned(), directory.display().to_string()]);
    }
    arguments
}

/// Fills the history; gives the id that has `MISSED` messages after it.
fn missed_id(server: &mut Process) -> Result<String> {
    let (count, size) = (BEFORE, SIZE);
    server.tell(Command::Burst { count, size })?;
    let published = server.wait_published(Duration::from_secs(10))?;
    let index = published.ids.len().checked_sub(MISSED + 1);
    let id = index.and_then(|index| published.ids.get(index));
    id.cloned().context("messages have no ids to resume from")
}

/// Connects and reads until everyone has what it missed, and at most `more` new messages.
fn storm(server: &mut Process, count: usize, id: &str, more: u64) -> Result<(Clients, Storm)> {
    let (begin, cpu, memory) = (clock::now(), server.cpu()?, server.resident()?);
    let connect = Connect {
        count,
        silent: 0,
        last_event_id: Some(id.to_owned()),
    };
    let mut clients = connect.to(server.address)?;
    clients.read_until(MISSED as u64, || Ok(true))?;
    let seconds = clock::seconds(clients.last_byte - begin);
    check(&clients, MISSED as u64, MISSED as u64 + more)?;
    let cpu = microseconds(server.cpu()? - cpu);
    let memory = kilobytes(server.resident()?) - kilobytes(memory);
    let storm = Storm {
        seconds,
        cpu: each(cpu, count),
        memory: each(memory, count),
    };
    Ok((clients, storm))
}

/// Reads until everyone has everything.
fn drain(server: &Process, clients: &mut Clients, count: u64) -> Result<Published> {
    let all = MISSED as u64 + count;
    let mut published = None;
    clients.read_until(all, || {
        if published.is_none() {
            published = server.published()?;
        }
        Ok(published.is_some())
    })?;
    check(clients, all, all)?;
    match published {
        Some(published) => Ok(published),
        None => server.wait_published(Duration::from_secs(10)),
    }
}

/// Fails unless each client has at least and at most so many messages.
fn check(clients: &Clients, least: u64, most: u64) -> Result<()> {
    let (fewest, highest) = (clients.fewest(), clients.most());
    if fewest < least || highest > most {
        bail!("clients have {fewest} to {highest} messages instead of {least} to {most}");
    }
    Ok(())
}

fn sample(storm: Option<Storm>, published: Option<&Published>) -> Sample {
    vec![
        storm.map(|it| it.seconds),
        storm.map(|it| it.cpu),
        storm.map(|it| it.memory),
        published.map(|it| microseconds(it.call_p99)),
        published.map(|it| milliseconds(it.late_p99)),
    ]
}
