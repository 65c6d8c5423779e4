//! A burst: 1,000 clients, 2,000 messages, as fast as each peer can.

use anyhow::Result;

use super::{
    Bench,
    fan_out::{SIZE, publish, roomy},
};
use crate::{
    clients::Connect,
    peers::{BARE, FRAMEWORKS, OURS},
    report::{Table, whole},
    server::Command,
};

pub(super) fn run(bench: &Bench) -> Result<Vec<Table>> {
    let clients = bench.size(1_000, 50);
    let count = bench.size(2_000, 200);
    let mut table = Table::new(
        "burst",
        "Burst",
        format!(
            "{} clients; {} messages of {SIZE} bytes are published in a tight loop. Deliveries per second \
             are counted from the first publish to the last byte read, CPU time is the server's. Queues are long \
             enough that nobody has to lose anything.",
            whole(clients as u64),
            whole(count)
        ),
    )
    .column("deliveries", "M/s")
    .column("CPU per delivery", "µs")
    .column("lost", "%")
    .column("readers' load", "%")
    .ratio(0, "axum-broadcast")
    .ratio(0, "hyper-broadcast")
    .ratio(0, "plain-sockets")
    .ratio_to_own(0);
    let peers = [OURS, FRAMEWORKS, BARE].concat();
    bench.fill(&mut table, &peers, |peer| {
        let connect = Connect::reading(clients);
        let (mut server, mut clients) = bench.start(peer, &connect, &roomy(peer))?;
        let command = Command::Burst { count, size: SIZE };
        let outcome = publish(&mut server, &mut clients, command)?;
        outcome.check(peer)?;
        Ok(vec![
            Some(outcome.millions_per_second()),
            Some(outcome.cpu_each()),
            Some(outcome.lost()),
            Some(outcome.readers_load()),
        ])
    });
    Ok(vec![table])
}
