//! Everyone connects at once.

use anyhow::{Result, bail};

use super::{
    Bench,
    units::{each, microseconds},
};
use crate::{
    clients::{Connect, IN_FLIGHT},
    clock,
    peers::{FRAMEWORKS, OURS},
    process::Process,
    report::{Table, whole},
};

pub(super) fn run(bench: &Bench) -> Result<Vec<Table>> {
    let (note, clients) = bench.clients(10_000, 200);
    let mut table = Table::new(
        "connect-storm",
        "Connect storm",
        format!(
            "{} clients connect as fast as the server accepts them, {IN_FLIGHT} at a time; until each has the \
             head of its response.{note}",
            whole(clients as u64)
        ),
    )
    .column("all connected after", "s")
    .column("CPU per connection", "µs")
    .column("readers' load", "%")
    .ratio(1, "hyper-broadcast")
    .ratio_to_own(1);
    let peers = [OURS, FRAMEWORKS, &["hyper-broadcast"]].concat();
    bench.fill(&mut table, &peers, |peer| {
        let mut server = Process::start(peer, bench.cores.server, &[])?;
        let (cpu, readers_cpu, begin) = (server.cpu()?, clock::thread_cpu(), clock::now());
        let connected = Connect::reading(clients).to(server.address)?;
        let seconds = clock::seconds(connected.last_byte - begin);
        let readers_cpu = clock::seconds(clock::thread_cpu() - readers_cpu);
        let cpu = microseconds(server.cpu()? - cpu);
        let subscribers = server.subscribers()?;
        if subscribers != clients {
            bail!("{subscribers} of {clients} clients are subscribed");
        }
        Ok(vec![
            Some(seconds),
            Some(each(cpu, clients)),
            Some(readers_cpu * 100.0 / seconds),
        ])
    });
    Ok(vec![table])
}
