//! The memory that a subscriber takes, and subscriptions that come and go.

use std::{env, process::Command, sync::Barrier};

use anyhow::{Context as _, Result, anyhow};

use super::readers::{Followed, Question, Spread, Turnover, on_threads, runtime};
use crate::{
    clock::{Spent, Stopwatch, real},
    machine::pin,
    process,
    report::Table,
    rounds::Bench,
};

/// The binary in which every allocation is counted, in the same folder as this one, so that
/// everything else runs with the allocator that users have.
const COUNTED: &str = "sse-bench-counted";

const STREAMS: [(&str, Followed); 5] = [
    ("Subscriber", Followed::Subscriber),
    ("SseBody with keep-alive", Followed::Body),
    ("SseBody without keep-alive", Followed::BodyWithoutKeepAlive),
    ("SseBody on a topic of its own", Followed::BodyWithOwnTopic),
    (
        "SseBody on `global` and a topic of its own",
        Followed::BodyWithTwoTopics,
    ),
];

/// Measures the memory of a subscriber.
pub(crate) fn memory_core(bench: &Bench) -> Result<Vec<Table>> {
    let count = bench.size(100_000, 1_000);
    let mut table = Table::new(
        "memory-core",
        "Memory of a subscriber, in process",
        format!(
            "{count} subscribers, each in a box that a tokio task owns and has polled until it waits. Counted is what is asked of the \
             allocator (it adds about 8 bytes to each piece and rounds up to 16), in a process of its own. What the \
             same tasks take with a boxed stream that is never ready and takes nothing itself is subtracted, so a row holds the stream, \
             its place in the queue of its topic and its place in the timer. \"left\" is what all together have allocated after a hundred \
             messages were published, ten at a time, and read by everyone, and had not before."
        ),
        "allocated, bytes; pieces; resident, bytes; left after messages, all together, bytes",
    )
    .subject("subscriber");
    table.notes.extend([
        "Where all share a topic, all their wakers lie in one table that doubles when it is full, and the same goes for the tables of \
         topics: what is free in them counts as allocated. It is resident once it was used."
            .to_owned(),
        "Less than nothing is left where such a table was made again, at the size that is needed.".to_owned(),
    ]);
    Ok(vec![bench.fill(table, STREAMS, |&stream| {
        let all: [f64; 4] = counted(Question::Memory { stream, count })?;
        let stream = Followed::Nothing;
        let tasks: [f64; 4] = counted(Question::Memory { stream, count })?;
        let [bytes, pieces, resident] = [0, 1, 2].map(|it| (all[it] - tasks[it]) / real(count));
        Ok([bytes, pieces, resident, all[3]])
    })])
}

/// Measures subscriptions that come and go.
pub(crate) fn churn(bench: &Bench) -> Result<Vec<Table>> {
    let count = bench.size(200_000, 2_000);
    let table = Table::new(
        "churn",
        "Subscriptions that come and go",
        format!(
            "{count} times: subscribe, read the first bytes, poll until there is nothing more, so that waker and keep-alive are set, and \
             drop. Where topics are shared, each has one subscriber that stays. With two threads, each has a core and a runtime of its own and does as \
             many, at the same time on the same hub. \"left\" is what is still allocated \
             afterwards and was not before, counted in a run of its own."
        ),
        "subscriptions, 1,000/s; each, on its thread, ns; each, CPU, ns; left, bytes",
    )
    .subject("topics");
    let both = [bench.cores.server, bench.cores.readers];
    let spreads = [
        ("1 topic", Spread::Shared(1)),
        ("100 topics", Spread::Shared(100)),
        ("a new topic each", Spread::Unique),
    ];
    let rows = spreads.into_iter().flat_map(|(name, spread)| {
        let one = (format!("{name}, 1 thread"), (spread, &both[..1]));
        [one, (format!("{name}, 2 threads"), (spread, &both[..]))]
    });
    Ok(vec![bench.fill(table, rows, |&(spread, cores)| {
        let spent = come_and_go(spread, cores, count)?;
        let longest = spent.iter().map(|it| it.wall).fold(0.0, f64::max);
        let threads = cores.len();
        let mut all = Spent::default();
        for spent in spent {
            all += spent;
        }
        let [wall, cpu] = all.each(threads * count);
        let thousands_per_second = real(threads * count) / longest * 1e6;
        let [left] = counted(Question::Churn {
            spread,
            threads,
            count,
        })?;
        Ok([thousands_per_second, wall, cpu, left])
    })])
}

/// Returns the time that each thread has spent, one on each of these cores.
fn come_and_go(spread: Spread, cores: &[usize], count: usize) -> Result<Vec<Spent>> {
    let turnover = Turnover::new(spread)?;
    let start = Barrier::new(cores.len());
    on_threads(cores, |thread, core| {
        let ready = pin(&[*core]).and_then(|()| runtime());
        // A thread that has failed comes here, too: the others wait for it.
        start.wait();
        let runtime = ready?;
        let watch = Stopwatch::thread();
        turnover.run(&runtime, thread, count)?;
        Ok(watch.spent())
    })
}

fn counted<const N: usize>(question: Question) -> Result<[f64; N]> {
    let mut program = Command::new(env::current_exe()?.with_file_name(COUNTED));
    let program = program.arg(serde_json::to_string(&question)?);
    let figures = process::figures(program, false)
        .context("all binaries of the crate are needed: `cargo build --release`")?;
    <[f64; N]>::try_from(figures)
        .map_err(|figures| anyhow!("{} figures instead of {N}", figures.len()))
}
