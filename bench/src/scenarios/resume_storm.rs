//! All clients reconnect at once, each with 100 messages to catch up on, also during publishing.

use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::{
    clients::{Clients, Connect, IN_FLIGHT},
    clock::{self, real, seconds},
    machine,
    payload::SIZE,
    process::Process,
    report::Table,
    rounds::Bench,
    server::Published,
};

const PEER: &str = "ours-axum";
const MISSED: u64 = 100;
const RATE: u64 = 1_000;

/// Messages in the history before the storm, more than any client has missed.
const BEFORE: u64 = 1_000;

/// The order in which clients connect and messages are published.
#[derive(Clone, Copy)]
enum Moment {
    Quiet,
    Storm,
    Both,
    After,
}

const MOMENTS: [(&str, Moment); 4] = [
    ("publishing, nobody connected", Moment::Quiet),
    ("storm, nobody publishes", Moment::Storm),
    ("storm while publishing", Moment::Both),
    ("publishing, all connected", Moment::After),
];

pub(crate) fn resume_storm(bench: &Bench) -> Result<Vec<Table>> {
    let (note, clients) = bench.clients(10_000, 200);
    let count = bench.size(4 * RATE, 300);
    let table = Table::new(
        "resume-storm",
        "Resume storm",
        format!(
            "{clients} clients connect as fast as the server accepts them, {IN_FLIGHT} at a time, each with the id of the message {MISSED} \
             back; until each has these {MISSED}. With publishing: {count} messages of {SIZE} bytes at {RATE} per \
             second to the same topic, begun just before; in the end each client has all of them, too. sse-axum with \
             a `FiniteReplayer`, or with a new `sse-store` at `Os`, whose threads run on the server's core, too; the peers cannot replay. \
             The publisher runs on the thread that serves: the call is what publishing itself takes, with `sse-store` until the \
             message is stored and delivered; late is from when a message was due until it was out.{note}"
        ),
        "all recovered after, s; CPU per client, µs; memory per client, KB; publish call p99, µs; publisher late p99, ms",
    )
    .subject("case");
    let media = [("", false), (", sse-store", true)];
    let rows = media.into_iter().flat_map(|(suffix, on_disk)| {
        MOMENTS.map(|(name, moment)| (format!("{name}{suffix}"), (moment, on_disk)))
    });
    Ok(vec![bench.fill(table, rows, |&(moment, on_disk)| {
        measure(bench, moment, on_disk, clients, count)
    })])
}

fn measure(
    bench: &Bench,
    moment: Moment,
    on_disk: bool,
    count: usize,
    messages: u64,
) -> Result<[f64; 5]> {
    // It has to outlive the server.
    let directory = machine::directory()?;
    let path = directory.path().to_str();
    let path = path.context("the directory has no name in UTF-8")?;
    // Room in the history for everything that is published.
    let arguments = ["--history", "20000", "--store", path];
    let number = if on_disk { 4 } else { 2 };
    let mut server = Process::start(PEER, bench.cores.server, &arguments[..number])?;
    let mut connect = Connect::reading(count);
    connect.last_event_id = Some(missed_id(&mut server)?);
    let all = MISSED + messages;
    Ok(match moment {
        Moment::Quiet => {
            server.publish(Some(RATE), messages)?;
            let published = server.wait_published(Duration::from_mins(1))?;
            sample(None, Some(&published))
        }
        Moment::Storm => {
            let (_, storm) = storm(&server, &connect, 0)?;
            sample(Some(storm), None)
        }
        Moment::Both => {
            server.publish(Some(RATE), messages)?;
            let (mut clients, storm) = storm(&server, &connect, messages)?;
            let published = clients.drain(&server, all)?;
            clients.check(all, all)?;
            sample(Some(storm), Some(&published))
        }
        Moment::After => {
            let (mut clients, _) = storm(&server, &connect, 0)?;
            server.publish(Some(RATE), messages)?;
            let published = clients.drain(&server, all)?;
            clients.check(all, all)?;
            sample(None, Some(&published))
        }
    })
}

/// Fills the history; returns the id that has `MISSED` messages after it.
fn missed_id(server: &mut Process) -> Result<String> {
    server.publish(None, BEFORE)?;
    let ids = server.wait_published(Duration::from_secs(10))?.ids;
    let id = ids.into_iter().rev().nth(usize::try_from(MISSED)?);
    id.context("messages have no ids to resume from")
}

/// Connects and reads until each client has what it missed, and at most `more` new messages.
///
/// Returns the seconds until all have recovered, and microseconds of CPU time and KB of memory per
/// client.
fn storm(server: &Process, connect: &Connect, more: u64) -> Result<(Clients, [f64; 3])> {
    let (begin, cpu, memory) = (clock::now(), server.cpu()?, server.resident()?);
    let mut clients = connect.to(server.address)?;
    clients.read_until(MISSED, || Ok(true))?;
    let duration = seconds(clients.last_byte - begin);
    clients.check(MISSED, MISSED + more)?;
    let cpu = seconds(server.cpu()? - cpu) * 1e6;
    let memory = real(server.resident()?) - real(memory);
    let count = real(connect.count);
    Ok((clients, [duration, cpu / count, memory / count]))
}

/// Returns the figures of a row, NaN for a part that was not measured.
fn sample(storm: Option<[f64; 3]>, published: Option<&Published>) -> [f64; 5] {
    let [recovered, cpu, memory] = storm.unwrap_or([f64::NAN; 3]);
    let time = |nanos: fn(&Published) -> u64| published.map_or(f64::NAN, |it| seconds(nanos(it)));
    let (call, late) = (time(|it| it.call_p99), time(|it| it.late_p99));
    [recovered, cpu, memory, call * 1e6, late * 1e3]
}
