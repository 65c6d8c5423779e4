//! Subscriptions that come and go.

pub(super) mod turnover;

use std::{
    sync::Barrier,
    thread::{self, ScopedJoinHandle},
};

use anyhow::{Result, anyhow};

use self::turnover::{Spread, Turnover};
use super::{
    cases::{Case, fill},
    counted,
    crowd::runtime,
    measure::{Spent, Stopwatch, grouped, real},
};
use crate::{machine::pin, report::Table, scenarios::Bench};

pub(super) fn run(bench: &Bench) -> Vec<Table> {
    let count = bench.size(200_000, 2_000);
    let both = [bench.cores.server, bench.cores.readers];
    let both = &both;
    let mut table = Table::new(
        "churn",
        "Subscriptions that come and go",
        format!(
            "{count} times: subscribe, read the first bytes, poll until there is nothing more, so that waker and keep-alive are set, and \
             drop. Where topics are shared, each has one subscriber that stays. With two threads, each has a core and a runtime of its own and does as \
             many, at the same time on the same hub. \"left\" is what is still allocated \
             afterwards and was not before, counted in a run of its own.",
            count = grouped(count)
        ),
    )
    .column("subscriptions", "1,000/s")
    .column("each, on its thread", "ns")
    .column("each, CPU", "ns")
    .column("left", "bytes");
    "topics".clone_into(&mut table.subject);
    let mut cases = Vec::new();
    for (spread, name) in [
        (Spread::One, "1 topic"),
        (Spread::Hundred, "100 topics"),
        (Spread::Unique, "a new topic each"),
    ] {
        for pins in [&both[..1], &both[..]] {
            let row = match pins.len() {
                1 => format!("{name}, 1 thread"),
                threads => format!("{name}, {threads} threads"),
            };
            cases.push(Case::new(row, move || measure(spread, pins, count)));
        }
    }
    vec![fill(bench, table, cases)]
}

fn measure(spread: Spread, pins: &[usize], count: usize) -> Result<Vec<f64>> {
    let turnover = Turnover::new(spread)?;
    let start = Barrier::new(pins.len());
    let work = |thread: usize, core: usize| {
        let ready = pin(core).and_then(|()| runtime());
        // Also by who cannot go on: the others wait.
        start.wait();
        let runtime = ready?;
        let watch = Stopwatch::start();
        turnover.run(&runtime, thread, count)?;
        anyhow::Ok(watch.stop())
    };
    let work = &work;
    let spent: Result<Vec<Spent>> = thread::scope(|scope| {
        let workers: Vec<_> = pins
            .iter()
            .enumerate()
            .map(|(thread, core)| scope.spawn(move || work(thread, *core)))
            .collect();
        let results = workers.into_iter().map(ScopedJoinHandle::join);
        results
            .map(|result| result.map_err(|_| anyhow!("a thread has panicked"))?)
            .collect()
    });
    let (mut all, mut longest) = (Spent::default(), 0.0_f64);
    for spent in spent? {
        longest = longest.max(spent.wall);
        all += spent;
    }
    let subscriptions = pins.len() * count;
    let [wall, cpu] = all.each(subscriptions);
    let thousands_per_second = real(subscriptions) / longest * 1e6;
    let left = counted::churn(spread, pins.len(), count)?;
    Ok(vec![thousands_per_second, wall, cpu, left])
}
