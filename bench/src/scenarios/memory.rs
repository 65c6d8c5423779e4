//! What an idle connection costs in memory.

use std::{thread, time::Duration};

use anyhow::Result;

use super::{
    Bench,
    units::{each, kilobytes},
};
use crate::{
    clients::Connect,
    peers::{ALONE, BARE, FRAMEWORKS, ON_HYPER, OURS, framework_alone},
    process::Process,
    report::{Figure, Table, whole},
};

/// Connections before the first measurement, so that code and pools are in memory.
const WARM: usize = 50;

/// The least that a connection over HTTP costs.
const HYPER: &str = "hyper-alone";

pub(super) fn run(bench: &Bench) -> Result<Vec<Table>> {
    let (note, clients) = bench.clients(5_000, 200);
    let mut table = Table::new(
        "memory",
        "Memory per idle connection",
        format!(
            "Growth of the server's resident memory while {} clients connect, after {WARM} others, once all \
             have got their response and are idle; a KB is 1,024 bytes. Above alone: what is left without the \
             framework's own part, which is measured with an endless stream of one chunk. What the kernel keeps for a \
             socket is not counted.{note}",
            whole(clients as u64)
        ),
    )
    .column("memory", "KB")
    .column("above alone", "KB")
    .column("above hyper alone", "KB")
    .ratio_to_own(0);
    let peers = [OURS, ON_HYPER, FRAMEWORKS, BARE, ALONE].concat();
    bench.fill(&mut table, &peers, |peer| {
        let server = Process::start(peer, bench.cores.server, &[])?;
        let _warm = Connect::reading(WARM).to(server.address)?;
        let before = settled(&server)?;
        let _idle = Connect::reading(clients).to(server.address)?;
        let growth = settled(&server)? - before;
        Ok(vec![Some(each(growth, clients)), None, None])
    });
    subtract(&mut table, 1, framework_alone);
    subtract(&mut table, 2, |peer| (peer != HYPER).then_some(HYPER));
    Ok(vec![table])
}

/// Resident KB once the server has done what it does after a connection.
fn settled(server: &Process) -> Result<f64> {
    // pace: there is nothing that says when it has.
    thread::sleep(Duration::from_millis(300));
    Ok(kilobytes(server.resident()?))
}

/// Fills a column with how far each row's memory is above that of another row.
fn subtract(table: &mut Table, column: usize, other: impl Fn(&str) -> Option<&'static str>) {
    let alone = |peer: &str| table.figure(other(peer)?, 0);
    let differences: Vec<Option<Figure>> = table
        .rows
        .iter()
        .map(|row| Some(row.figures[0]?.minus(alone(&row.peer)?)))
        .collect();
    for (row, difference) in table.rows.iter_mut().zip(differences) {
        row.figures[column] = difference;
    }
}
