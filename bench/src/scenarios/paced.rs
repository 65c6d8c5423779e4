//! An even pace that nobody has trouble with: what a delivery costs, and how late it is.

use anyhow::Result;

use super::{
    Bench,
    fan_out::{SIZE, publish, roomy},
};
use crate::{
    clients::Connect,
    peers::{BARE, FRAMEWORKS, ON_HYPER, OURS},
    report::{Table, whole},
    server::Command,
};

/// Who is measured with many clients.
const MANY: &[&str] = &[
    "ours-axum",
    "ours-axum-on-hyper",
    "axum-broadcast",
    "hyper-broadcast",
    "plain-sockets",
];

pub(super) fn run(bench: &Bench) -> Result<Vec<Table>> {
    let all = [OURS, ON_HYPER, FRAMEWORKS, BARE].concat();
    let few = measure(bench, "paced", (1_000, 50), 50, &all);
    // Ten per second, because fifty to so many would be more than a core can send one by one.
    let many = measure(bench, "paced-many", (9_000, 100), 10, MANY);
    Ok(vec![few, many])
}

fn measure(
    bench: &Bench,
    name: &str,
    (full, quick): (usize, usize),
    rate: u64,
    peers: &[&str],
) -> Table {
    let (note, clients) = bench.clients(full, quick);
    let count = bench.size(3 * rate, rate / 5);
    let mut table = Table::new(
        name,
        &format!("Paced, {} clients", whole(clients as u64)),
        format!(
            "{} clients; {count} messages of {SIZE} bytes are published at {rate} per second, so that every \
             message is a write of its own. Latency is from the call of publish to the read by the client.{note}",
            whole(clients as u64)
        ),
    )
    .column("CPU per delivery", "µs")
    .column("p50", "ms")
    .column("p99", "ms")
    .column("lost", "%")
    .column("server's load", "%")
    .column("readers' load", "%")
    .ratio(0, "hyper-broadcast")
    .ratio(2, "hyper-broadcast")
    .ratio_to_own(0);
    bench.fill(&mut table, peers, |peer| {
        let connect = Connect::reading(clients);
        let (mut server, mut clients) = bench.start(peer, &connect, &roomy(peer))?;
        let size = SIZE;
        let outcome = publish(
            &mut server,
            &mut clients,
            Command::Pace { rate, count, size },
        )?;
        outcome.check(peer)?;
        Ok(vec![
            Some(outcome.cpu_each()),
            Some(outcome.p50),
            Some(outcome.p99),
            Some(outcome.lost()),
            Some(outcome.server_load()),
            Some(outcome.readers_load()),
        ])
    });
    table
}
