//! Connections without messages: all at once, idle, and at the end of their server.

use std::{thread, time::Duration};

use anyhow::{Result, ensure};

use crate::{
    clients::{Connect, IN_FLIGHT},
    clock::{self, Stopwatch, real, seconds},
    peers::{Kind, framework_alone, names},
    process::Process,
    report::{ITS_OWN, Table},
    rounds::Bench,
};

/// All clients connect at once.
pub(crate) fn connect_storm(bench: &Bench) -> Result<Vec<Table>> {
    let (note, clients) = bench.clients(10_000, 200);
    let table = Table::new(
        "connect-storm",
        "Connect storm",
        format!(
            "{clients} clients connect as fast as the server accepts them, {IN_FLIGHT} at a time; until each has the \
             head of its response.{note}"
        ),
        "all connected after, s; CPU per connection, µs; readers' load, %",
    )
    .ratios(1, &["hyper-broadcast", ITS_OWN]);
    let mut peers = names(&[Kind::Ours, Kind::Framework]);
    peers.push("hyper-broadcast");
    Ok(vec![bench.fill_peers(table, &peers, |peer| {
        let mut server = Process::start(peer, bench.cores.server, &[])?;
        let (cpu, watch, begin) = (server.cpu()?, Stopwatch::thread(), clock::now());
        let connected = Connect::reading(clients).to(server.address)?;
        let duration = seconds(connected.last_byte - begin);
        let readers_cpu = watch.spent().cpu / 1e9;
        let cpu = seconds(server.cpu()? - cpu);
        let subscribers = server.subscribers()?;
        ensure!(
            subscribers == clients,
            "{subscribers} of {clients} clients are subscribed"
        );
        let cpu_each = cpu * 1e6 / real(clients);
        Ok([duration, cpu_each, readers_cpu * 100.0 / duration])
    })])
}

/// Connections before the first measurement, after which code and pools are in memory.
const WARM: usize = 50;

/// The least that a connection over HTTP costs.
const HYPER: &str = "hyper-alone";

/// Idle connections, and the memory that each takes.
pub(crate) fn memory(bench: &Bench) -> Result<Vec<Table>> {
    let (note, clients) = bench.clients(5_000, 200);
    let table = Table::new(
        "memory",
        "Memory per idle connection",
        format!(
            "Growth of the server's resident memory while {clients} clients connect, after {WARM} others, once all \
             have got their response and are idle; a KB is 1,024 bytes. Above alone: what is left without the \
             framework's own part, which is measured with an endless stream of one chunk. What the kernel keeps for a \
             socket is not counted.{note}"
        ),
        "memory, KB; above alone, KB; above hyper alone, KB",
    )
    .ratios(0, &[ITS_OWN]);
    let mut peers = names(&[Kind::Ours, Kind::OnHyper, Kind::Framework, Kind::Bare]);
    peers.extend(names(&[Kind::Alone]));
    let mut table = bench.fill_peers(table, &peers, |peer| {
        let server = Process::start(peer, bench.cores.server, &[])?;
        let _warm = Connect::reading(WARM).to(server.address)?;
        let before = settled(&server)?;
        let _idle = Connect::reading(clients).to(server.address)?;
        let growth = settled(&server)? - before;
        Ok([growth / real(clients), f64::NAN, f64::NAN])
    });
    let above = |table: &Table, peer: &str, other: Option<&str>| {
        Some(table.figure(peer, 0)?.median - table.figure(other?, 0)?.median)
    };
    table.compute(1, |table, peer| above(table, peer, framework_alone(peer)));
    let hyper = |peer: &str| (peer != HYPER).then_some(HYPER);
    table.compute(2, |table, peer| above(table, peer, hyper(peer)));
    Ok(vec![table])
}

/// Returns the resident KB once the server has finished its work after a connection.
fn settled(server: &Process) -> Result<f64> {
    // pace: nothing tells when it has.
    thread::sleep(Duration::from_millis(300));
    Ok(real(server.resident()?))
}

/// SIGTERM with streams open.
pub(crate) fn shutdown(bench: &Bench) -> Result<Vec<Table>> {
    let (_, clients) = bench.clients(100, 20);
    let patience = bench.size(15.0, 2.0);
    let table = Table::new(
        "shutdown",
        "Shutdown",
        format!(
            "SIGTERM with {clients} streams open, each framework with the graceful shutdown that its documentation \
             shows: seconds until the process has ended, given up after {patience}, and how many clients saw the \
             proper end of their stream. Measured once."
        ),
        "ends after, s; streams ended properly, %",
    );
    let mut once = bench.clone();
    once.rounds = 1;
    let peers = names(&[Kind::Ours, Kind::Framework]);
    let mut table = once.fill_peers(table, &peers, |peer| {
        let mut server = Process::start(peer, bench.cores.server, &[])?;
        let mut clients = Connect::reading(clients).to(server.address)?;
        clients.read_for(Duration::from_millis(100))?;
        let begin = clock::now();
        let elapsed = || seconds(clock::now() - begin);
        server.terminate()?;
        let mut ends_after = f64::INFINITY;
        while ends_after.is_infinite() && elapsed() < patience {
            clients.read_for(Duration::from_millis(2))?;
            if server.has_ended()? {
                ends_after = elapsed();
            }
        }
        // The last bytes may still be on their way.
        clients.read_for(Duration::from_millis(20))?;
        let properly = real(clients.ended_properly()) * 100.0 / real(clients.messages().len());
        Ok([ends_after, properly])
    });
    let figures = table.rows.iter_mut();
    let figures = figures.filter_map(|row| row.figures[0].as_mut());
    for figure in figures.filter(|figure| figure.median.is_infinite()) {
        figure.median = patience;
        figure.is_more = true;
    }
    Ok(vec![table])
}
