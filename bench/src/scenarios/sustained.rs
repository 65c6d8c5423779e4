//! As much as one core can take: 10,000 messages per second to 1,000 clients.

use anyhow::Result;

use super::{
    Bench,
    fan_out::{SIZE, publish, roomy},
    units::milliseconds,
};
use crate::{
    clients::Connect,
    report::{Table, whole},
    server::Command,
};

const PEERS: &[&str] = &[
    "ours-axum",
    "ours-actix",
    "axum-broadcast",
    "actix-web-lab",
    "hyper-broadcast",
    "plain-sockets",
];

pub(super) fn run(bench: &Bench) -> Result<Vec<Table>> {
    let (_, clients) = bench.clients(1_000, 50);
    let rate = 10_000;
    let count = bench.size(2 * rate, 2_000);
    let mut table = Table::new(
        "sustained",
        "Sustained",
        format!(
            "{} clients; {} messages of {SIZE} bytes are published at {} per second. Who keeps up \
             delivers {} per second; who does not goes on sending afterwards, which counts. Latency is from \
             the call of publish to the read by the client. Publisher late: from when a message was due until it was \
             published, which shows when clients hold publishers back.",
            whole(clients as u64),
            whole(count),
            whole(rate),
            whole(rate * clients as u64),
        ),
    )
    .column("deliveries", "M/s")
    .column("lost", "%")
    .column("p50", "ms")
    .column("p99", "ms")
    .column("publisher late p99", "ms")
    .column("CPU per delivery", "µs")
    .column("server's load", "%")
    .column("readers' load", "%")
    .ratio(0, "axum-broadcast")
    .ratio_to_own(0);
    bench.fill(&mut table, PEERS, |peer| {
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
            Some(outcome.millions_per_second()),
            Some(outcome.lost()),
            Some(outcome.p50),
            Some(outcome.p99),
            Some(milliseconds(outcome.published.late_p99)),
            Some(outcome.cpu_each()),
            Some(outcome.server_load()),
            Some(outcome.readers_load()),
        ])
    });
    Ok(vec![table])
}
