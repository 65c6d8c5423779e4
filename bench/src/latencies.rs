//! Times with their percentiles, in little memory.

use anyhow::Result;
use hdrhistogram::Histogram;

/// The longest that is told apart from longer ones: ten minutes, in nanoseconds.
const LONGEST: u64 = 600_000_000_000;

/// Nanoseconds, exact to a thousandth.
#[derive(Debug)]
pub(crate) struct Latencies(Histogram<u64>);

impl Latencies {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self(Histogram::new_with_bounds(1, LONGEST, 3)?))
    }

    /// Counts these nanoseconds so many times.
    pub(crate) fn record(&mut self, nanos: u64, times: u64) {
        self.0.saturating_record_n(nanos, times);
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.0.reset();
    }

    /// Nanoseconds that half of all were within.
    pub(crate) fn p50(&self) -> u64 {
        self.0.value_at_quantile(0.5)
    }

    /// Nanoseconds that 99 of 100 were within.
    pub(crate) fn p99(&self) -> u64 {
        self.0.value_at_quantile(0.99)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_short_times_are_told_apart() {
        let mut latencies = Latencies::new().unwrap();
        latencies.record(1_000, 98);
        latencies.record(20_000_000_000, 2);
        let near = |value: u64, expected: u64| value.abs_diff(expected) <= expected / 500;
        assert!(near(latencies.p50(), 1_000), "{latencies:?}");
        assert!(near(latencies.p99(), 20_000_000_000), "{latencies:?}");
    }
}
