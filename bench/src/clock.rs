//! Time: the clocks, a stopwatch, and latencies with their percentiles.

use std::ops::AddAssign;

use anyhow::Result;
use hdrhistogram::Histogram;
use rustix::time::{ClockId, Timespec, clock_gettime};

/// Latencies in nanoseconds, exact to a thousandth.
pub(crate) type Latencies = Histogram<u64>;

/// Returns an empty histogram of latencies; those above ten minutes will count as ten minutes.
pub(crate) fn latencies() -> Result<Latencies> {
    Ok(Histogram::new_with_bounds(1, 600_000_000_000, 3)?)
}

/// Returns the time on a clock that never goes back and is the same in every process.
pub(crate) fn now() -> u64 {
    read(ClockId::Monotonic)
}

/// Returns nanoseconds as seconds.
pub(crate) fn seconds(nanos: u64) -> f64 {
    real(nanos) / 1e9
}

/// Returns a count, bytes or nanoseconds as a number to calculate with.
#[expect(clippy::cast_precision_loss, reason = "all stay far below 2^52")]
pub(crate) fn real(number: impl TryInto<u64>) -> f64 {
    number.try_into().map_or(f64::NAN, |number| number as f64)
}

/// A measurement of wall and CPU time in progress.
///
/// Reading the CPU clock is a system call: [`Stopwatch::own`] says how much one measurement adds.
#[derive(Clone, Copy)]
pub(crate) struct Stopwatch {
    clock: ClockId,
    cpu: u64,
    wall: u64,
}

impl Stopwatch {
    /// Starts with the CPU time of this thread.
    pub(crate) fn thread() -> Self {
        Self::start(ClockId::ThreadCPUTime)
    }

    /// Starts with the CPU time of all threads of this process, including those that have ended.
    pub(crate) fn process() -> Self {
        Self::start(ClockId::ProcessCPUTime)
    }

    fn start(clock: ClockId) -> Self {
        let cpu = read(clock);
        let wall = now();
        Self { clock, cpu, wall }
    }

    /// Returns the time since the start.
    pub(crate) fn spent(self) -> Spent {
        let wall = real(now() - self.wall);
        let cpu = real(read(self.clock) - self.cpu);
        Spent { wall, cpu }
    }

    /// Returns the time that a measurement of nothing gives on this thread: the median of many.
    pub(crate) fn own() -> Spent {
        let mut spent = [(); 1_000].map(|()| Self::thread().spent());
        let mut median = |time: fn(&Spent) -> f64| {
            spent.sort_by(|a, b| time(a).total_cmp(&time(b)));
            time(&spent[500])
        };
        let (wall, cpu) = (median(|it| it.wall), median(|it| it.cpu));
        Spent { wall, cpu }
    }
}

/// The nanoseconds that a measurement took.
#[derive(Clone, Copy, Default)]
pub(crate) struct Spent {
    pub(crate) wall: f64,
    pub(crate) cpu: f64,
}

impl Spent {
    /// Subtracts the time that this number of measurements have added themselves.
    pub(crate) fn without(self, own: Self, measurements: usize) -> Self {
        let left = |all: f64, own: f64| (all - own * real(measurements)).max(0.0);
        let (wall, cpu) = (left(self.wall, own.wall), left(self.cpu, own.cpu));
        Self { wall, cpu }
    }

    /// Returns wall and CPU time of one of `count`.
    pub(crate) fn each(self, count: usize) -> [f64; 2] {
        [self.wall, self.cpu].map(|time| time / real(count))
    }
}

impl AddAssign for Spent {
    fn add_assign(&mut self, other: Self) {
        self.wall += other.wall;
        self.cpu += other.cpu;
    }
}

fn read(clock: ClockId) -> u64 {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(clock);
    let part = |value: i64| u64::try_from(value).unwrap_or(0);
    part(tv_sec) * 1_000_000_000 + part(tv_nsec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_short_times_are_distinguished() {
        let mut latencies = latencies().unwrap();
        latencies.saturating_record_n(1_000, 98);
        latencies.saturating_record_n(20_000_000_000, 2);
        for (quantile, expected) in [(0.5, 1_000), (0.99, 20_000_000_000)] {
            let value = latencies.value_at_quantile(quantile);
            assert!(value.abs_diff(expected) <= expected / 500, "{latencies:?}");
        }
    }

    #[test]
    fn a_stopwatch_sees_the_work_of_the_thread() {
        let watch = Stopwatch::thread();
        let sum: u64 = (0..1_000_000).map(std::hint::black_box).sum();
        let spent = watch.spent();
        assert!(sum > 0 && spent.wall > 0.0 && spent.cpu > 0.0);
    }
}
