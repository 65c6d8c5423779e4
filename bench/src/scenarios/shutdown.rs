//! SIGTERM with streams open.

use std::time::Duration;

use anyhow::Result;

use super::{Bench, units::percent};
use crate::{
    clients::Connect,
    clock,
    peers::{FRAMEWORKS, OURS},
    report::{Figure, Table},
};

pub(super) fn run(bench: &Bench) -> Result<Vec<Table>> {
    let (_, clients) = bench.clients(100, 20);
    let patience = bench.size(15.0, 2.0);
    let mut table = Table::new(
        "shutdown",
        "Shutdown",
        format!(
            "SIGTERM with {clients} streams open, each framework with the graceful shutdown that its documentation \
             shows: seconds until the process has ended, given up after {patience}, and how many clients saw the \
             proper end of their stream. Measured once."
        ),
    )
    .column("ends after", "s")
    .column("streams ended properly", "%");
    for peer in bench.chosen(&[OURS, FRAMEWORKS].concat()) {
        eprint!("{}: {peer:<16} ", table.name);
        match measure(bench, peer, clients, patience) {
            Ok(figures) => {
                let seconds = figures[0].map_or(0.0, |it| it.median);
                eprintln!("{seconds:.3} s");
                table.push(peer, figures);
            }
            Err(error) => {
                eprintln!("failed: {error:#}");
                table.failures.push(format!("{peer}: {error:#}"));
            }
        }
    }
    Ok(vec![table])
}

fn measure(bench: &Bench, peer: &str, count: usize, patience: f64) -> Result<Vec<Option<Figure>>> {
    let (mut server, mut clients) = bench.start(peer, &Connect::reading(count), &[])?;
    clients.read_for(Duration::from_millis(100))?;
    let begin = clock::now();
    server.terminate()?;
    let mut ends_after = None;
    while ends_after.is_none() && clock::seconds(clock::now() - begin) < patience {
        clients.read_for(Duration::from_millis(2))?;
        if server.exit()?.is_some() {
            ends_after = Some(clock::seconds(clock::now() - begin));
        }
    }
    // What was sent last may still be on its way.
    clients.read_for(Duration::from_millis(20))?;
    let ended = Figure::of(&[percent(clients.ended_properly(), count)]);
    let seconds = match ends_after {
        Some(seconds) => Figure::of(&[seconds]),
        None => Figure::more_than(patience),
    };
    Ok(vec![seconds, ended])
}
