//! Clients that never read, and what those beside them notice.

use anyhow::Result;

use super::{
    Bench,
    fan_out::{SIZE, publish},
    units::megabytes,
};
use crate::{
    clients::Connect,
    report::{Figure, Table, whole},
    server::Command,
};

const PEERS: &[&str] = &["ours-axum", "axum-broadcast", "hyper-broadcast"];
const NONE: &str = ", none stuck";
const SOME: &str = ", 1 % stuck";

/// The columns of healthy clients' 99th percentile, and of what it is a multiple of.
const P99: usize = 1;
const TIMES: usize = 2;

pub(super) fn run(bench: &Bench) -> Result<Vec<Table>> {
    let (_, clients) = bench.clients(1_000, 100);
    let rate = 5_000;
    let count = bench.size(3 * rate, 1_000);
    let stuck = clients / 100;
    let mut table = Table::new(
        "stuck",
        "Beside clients that never read",
        format!(
            "{} clients; {} messages of {SIZE} bytes are published at {} per second. None of the \
             clients, or {stuck} of them, read the head of their response and then nothing any more, with a receive \
             buffer of 4 KiB. Latency and losses are those of the others. These crates with their default bounds and \
             without history.",
            whole(clients as u64),
            whole(count),
            whole(rate)
        ),
    )
    .column("p50", "ms")
    .column("p99", "ms")
    .column("p99 × none stuck", "")
    .column("lost by the others", "%")
    .column("server's memory grew by", "MB");
    let rows: Vec<String> = PEERS
        .iter()
        .flat_map(|peer| [format!("{peer}{NONE}"), format!("{peer}{SOME}")])
        .collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    bench.fill(&mut table, &rows, |row| {
        let (peer, kind) = row.split_once(", ").unwrap_or((row, ""));
        let connect = Connect {
            count: clients,
            silent: if SOME.ends_with(kind) { stuck } else { 0 },
            last_event_id: None,
        };
        let (mut server, mut clients) = bench.start(peer, &connect, &[])?;
        let before = server.resident()?;
        let size = SIZE;
        let outcome = publish(
            &mut server,
            &mut clients,
            Command::Pace { rate, count, size },
        )?;
        outcome.check(peer)?;
        Ok(vec![
            Some(outcome.p50),
            Some(outcome.p99),
            None,
            Some(outcome.lost()),
            Some(megabytes(server.resident()?) - megabytes(before)),
        ])
    });
    for peer in PEERS {
        let (none, some) = (format!("{peer}{NONE}"), format!("{peer}{SOME}"));
        let times = times(&table, &none, &some);
        if let Some(row) = table.rows.iter_mut().find(|row| row.peer == some) {
            row.figures[TIMES] = times;
        }
    }
    Ok(vec![table])
}

fn times(table: &Table, none: &str, some: &str) -> Option<Figure> {
    Figure::of(&[table.figure(some, P99)?.median / table.figure(none, P99)?.median])
}
