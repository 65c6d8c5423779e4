//! Many messages to many clients: in a burst, at a pace that one core can just take, at an easy
//! one, and next to clients that never read.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::{
    clients::Connect,
    clock::{Stopwatch, real, seconds},
    payload::SIZE,
    peers::{Kind, is_ours, names},
    process::Process,
    report::{ITS_OWN, Table},
    rounds::Bench,
};

/// The arguments of our servers in scenarios that require every delivery: queues of such a length
/// that nobody is dropped.
const ROOMY: &[&str] = &["--queue", "65536", "67108864"];

/// Publishing as fast as each peer can.
pub(crate) fn burst(bench: &Bench) -> Result<Vec<Table>> {
    let clients = bench.size(1_000, 50);
    let count = bench.size(2_000, 200);
    let table = Table::new(
        "burst",
        "Burst",
        format!(
            "{clients} clients; {count} messages of {SIZE} bytes are published in a tight loop. Deliveries per second \
             are counted from the first publish to the last byte read, CPU time is the server's. Queues are long \
             enough that nobody has to lose anything."
        ),
        "deliveries, M/s; CPU per delivery, µs; lost, %; readers' load, %",
    )
    .ratios(0, &["axum-broadcast", "hyper-broadcast", "plain-sockets", ITS_OWN]);
    let peers = names(&[Kind::Ours, Kind::Framework, Kind::Bare]);
    Ok(vec![bench.fill_peers(table, &peers, |peer| {
        let it = measure(bench, peer, ROOMY, &Connect::reading(clients), None, count)?;
        Ok([it.deliveries, it.cpu_each, it.lost, it.readers_load])
    })])
}

/// Publishing as much as one core can take: 10,000 messages per second to 1,000 clients.
pub(crate) fn sustained(bench: &Bench) -> Result<Vec<Table>> {
    let (_, clients) = bench.clients(1_000, 50);
    let rate = 10_000;
    let count = bench.size(2 * rate, 2_000);
    let each = rate * clients as u64;
    let table = Table::new(
        "sustained",
        "Sustained",
        format!(
            "{clients} clients; {count} messages of {SIZE} bytes are published at {rate} per second. A peer that keeps up \
             delivers {each} per second; one that does not goes on sending afterwards, which counts. Latency is from \
             the call of publish to the read by the client. Publisher late: from when a message was due until it was \
             published, which shows when clients hold publishers back."
        ),
        "deliveries, M/s; lost, %; p50, ms; p99, ms; publisher late p99, ms; CPU per delivery, µs; \
         server's load, %; readers' load, %",
    )
    .ratios(0, &["axum-broadcast", ITS_OWN]);
    let peers = [
        "ours-axum",
        "ours-actix",
        "axum-broadcast",
        "actix-web-lab",
        "hyper-broadcast",
        "plain-sockets",
    ];
    Ok(vec![bench.fill_peers(table, &peers, |peer| {
        let connect = Connect::reading(clients);
        let it = measure(bench, peer, ROOMY, &connect, Some(rate), count)?;
        Ok([
            it.deliveries,
            it.lost,
            it.p50,
            it.p99,
            it.late_p99,
            it.cpu_each,
            it.server_load,
            it.readers_load,
        ])
    })])
}

/// An easy, even pace: the cost of a delivery, and its latency.
pub(crate) fn paced(bench: &Bench) -> Result<Vec<Table>> {
    let all = names(&[Kind::Ours, Kind::OnHyper, Kind::Framework, Kind::Bare]);
    let many = [
        "ours-axum",
        "ours-axum-on-hyper",
        "axum-broadcast",
        "hyper-broadcast",
        "plain-sockets",
    ];
    let table = |name, (note, clients): (String, usize), rate: u64, peers: &[&str]| {
        let count = bench.size(3 * rate, rate / 5);
        let table = Table::new(
            name,
            &format!("Paced, {clients} clients"),
            format!(
                "{clients} clients; {count} messages of {SIZE} bytes are published at {rate} per second, so that every \
                 message is a separate write. Latency is from the call of publish to the read by the client.{note}",
            ),
            "CPU per delivery, µs; p50, ms; p99, ms; lost, %; server's load, %; readers' load, %",
        )
        .ratios(0, &["hyper-broadcast"])
        .ratios(2, &["hyper-broadcast"])
        .ratios(0, &[ITS_OWN]);
        bench.fill_peers(table, peers, |peer| {
            let connect = Connect::reading(clients);
            let it = measure(bench, peer, ROOMY, &connect, Some(rate), count)?;
            Ok([
                it.cpu_each,
                it.p50,
                it.p99,
                it.lost,
                it.server_load,
                it.readers_load,
            ])
        })
    };
    Ok(vec![
        table("paced", bench.clients(1_000, 50), 50, &all),
        // Ten per second, because fifty to this many would be more than a core can send one by one.
        table("paced-many", bench.clients(9_000, 100), 10, &many),
    ])
}

/// The columns of healthy clients' 99th percentile, and of its ratio to that without stuck clients.
const P99: usize = 1;
const TIMES: usize = 2;

/// Clients that never read, and their effect on the clients next to them.
pub(crate) fn stuck(bench: &Bench) -> Result<Vec<Table>> {
    let (_, clients) = bench.clients(1_000, 100);
    let rate = 5_000;
    let count = bench.size(3 * rate, 1_000);
    let stuck = clients / 100;
    let table = Table::new(
        "stuck",
        "Next to clients that never read",
        format!(
            "{clients} clients; {count} messages of {SIZE} bytes are published at {rate} per second. None of the \
             clients, or {stuck} of them, read the head of their response and then nothing any more, with a receive \
             buffer of 4 KiB. Latency and losses are those of the others. These crates with their default bounds and \
             without history."
        ),
        "p50, ms; p99, ms; p99 × none stuck; lost by the others, %; server's memory grew by, MB",
    );
    let rows = ["ours-axum", "axum-broadcast", "hyper-broadcast"]
        .into_iter()
        .flat_map(|peer| {
            let row = |name: &str, silent| (format!("{peer}, {name}"), (peer, silent));
            [row("none stuck", 0), row("1 % stuck", stuck)]
        });
    let mut table = bench.fill(table, rows, |&(peer, silent)| {
        let mut connect = Connect::reading(clients);
        connect.silent = silent;
        let it = measure(bench, peer, &[], &connect, Some(rate), count)?;
        Ok([it.p50, it.p99, f64::NAN, it.lost, it.grew])
    });
    table.compute(TIMES, |table, row| {
        let none = row.replace("1 %", "none");
        let times = table.figure(row, P99)?.median / table.figure(&none, P99)?.median;
        (none != row).then_some(times)
    });
    Ok(vec![table])
}

/// The account of a publishing and of the messages that arrived.
struct Outcome {
    /// Millions of messages per second that arrived, from the first publish to the last byte read.
    deliveries: f64,
    /// Percent of the messages that did not arrive.
    lost: f64,
    /// Milliseconds from publishing to reading.
    p50: f64,
    p99: f64,
    /// Milliseconds from when a message was due until it was published: the 99th percentile.
    late_p99: f64,
    /// Microseconds of the server's CPU time for each message that arrived.
    cpu_each: f64,
    /// The load of the server, in percent of its core.
    server_load: f64,
    /// The load of the readers, in percent of theirs.
    readers_load: f64,
    /// MB by which the server's memory has grown since the clients connected.
    grew: f64,
}

/// Starts a server and its clients, lets it publish and reads until everything has arrived, or
/// nothing more will. Fails if one of our adapters, which promise it, did not deliver everything.
fn measure(
    bench: &Bench,
    peer: &str,
    our_arguments: &[&str],
    connect: &Connect,
    rate: Option<u64>,
    count: u64,
) -> Result<Outcome> {
    let arguments = if is_ours(peer) { our_arguments } else { &[] };
    let mut server = Process::start(peer, bench.cores.server, arguments)?;
    let mut clients = connect.to(server.address)?;
    let memory = server.resident()?;
    // Bytes after the head of a response, such as a first comment, are no part of the measurement.
    clients.read_for(Duration::from_millis(100))?;
    clients.latencies.reset();
    let (cpu, watch) = (server.cpu()?, Stopwatch::thread());
    server.publish(rate, count)?;
    let published = clients.drain(&server, count)?;
    let readers_cpu = watch.spent().cpu / 1e9;
    let server_cpu = seconds(server.cpu()? - cpu);
    clients.check(0, count)?;
    let received: u64 = clients.messages().sum();
    let expected = count * clients.messages().len() as u64;
    ensure!(
        received == expected || !is_ours(peer),
        "{received} of {expected} messages arrived, although delivery is promised"
    );
    let duration = seconds(clients.last_byte.saturating_sub(published.started));
    let milliseconds = |nanos: u64| seconds(nanos) * 1e3;
    let quantile = |quantile| milliseconds(clients.latencies.value_at_quantile(quantile));
    Ok(Outcome {
        deliveries: real(received) / duration / 1e6,
        lost: real(expected - received) * 100.0 / real(expected),
        p50: quantile(0.5),
        p99: quantile(0.99),
        late_p99: milliseconds(published.late_p99),
        cpu_each: server_cpu * 1e6 / real(received),
        server_load: server_cpu * 100.0 / duration,
        readers_load: readers_cpu * 100.0 / duration,
        grew: (real(server.resident()?) - real(memory)) / 1_024.0,
    })
}
