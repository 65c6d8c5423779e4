//! `sse-bench-counted`: a process in which every allocation is counted. Prints numbers for `sse-bench`.

#[path = "../crowd.rs"]
mod crowd;
mod memory;
#[path = "../churn/turnover.rs"]
mod turnover;

use std::{alloc::System, env, thread};

use anyhow::{Context as _, Result, anyhow, bail};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tokio::runtime::Runtime;

use crate::{
    crowd::runtime,
    turnover::{Spread, Turnover},
};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let figures = match arguments[..] {
        ["memory", stream, count] => memory::measure(stream, count.parse()?)?,
        ["churn", spread, threads, count] => {
            vec![churn(spread, threads.parse()?, count.parse()?)?]
        }
        _ => bail!("`sse-bench` runs this: memory STREAM COUNT, or churn SPREAD THREADS COUNT"),
    };
    let figures: Vec<String> = figures.iter().map(i64::to_string).collect();
    println!("{}", figures.join(" "));
    Ok(())
}

/// Bytes that are allocated now.
fn allocated() -> i64 {
    let stats = ALLOCATOR.stats();
    difference(stats.bytes_allocated, stats.bytes_deallocated)
}

/// Allocations that are alive now.
fn allocations() -> i64 {
    let stats = ALLOCATOR.stats();
    difference(stats.allocations, stats.deallocations)
}

#[expect(
    clippy::cast_possible_wrap,
    reason = "a process allocates less than 2^63 bytes in its life"
)]
fn difference(more: usize, less: usize) -> i64 {
    more as i64 - less as i64
}

/// Bytes that are left after so many have come and gone on each thread.
fn churn(spread: &str, threads: usize, count: usize) -> Result<i64> {
    let spreads = Spread::ALL.iter().find(|(_, name)| *name == spread);
    let (spread, _) = spreads.with_context(|| format!("there is no spread `{spread}`"))?;
    let turnover = Turnover::new(*spread)?;
    let runtimes: Vec<Runtime> = (0..threads).map(|_| runtime()).collect::<Result<_>>()?;
    // What is there once, for the process, its runtimes and the topics that stay, is there before.
    come_and_go(&turnover, &runtimes, count.min(1_000))?;
    let before = allocated();
    come_and_go(&turnover, &runtimes, count)?;
    Ok(allocated() - before)
}

/// So many on a thread for each runtime, at the same time.
fn come_and_go(turnover: &Turnover, runtimes: &[Runtime], count: usize) -> Result<()> {
    thread::scope(|scope| {
        let workers: Vec<_> = runtimes
            .iter()
            .enumerate()
            .map(|(thread, runtime)| scope.spawn(move || turnover.run(runtime, thread, count)))
            .collect();
        for worker in workers {
            worker
                .join()
                .map_err(|_| anyhow!("a thread has panicked"))??;
        }
        Ok(())
    })
}
