//! Percentiles of times.

use hdrhistogram::Histogram;
use serde::Serialize;

/// The longest time that is recorded as it is, in microseconds: an hour.
const LONGEST: u64 = 3_600_000_000;

/// The number of digits of each time that are kept.
const DIGITS: u8 = 3;

/// Returns a histogram for times in microseconds.
pub(super) fn histogram() -> Histogram<u64> {
    // proof: fails only for invalid bounds, and these are constant and valid
    Histogram::new_with_bounds(1, LONGEST, DIGITS).unwrap()
}

/// Percentiles in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Percentiles {
    pub(super) p50: f64,
    pub(super) p90: f64,
    pub(super) p99: f64,
    #[serde(rename = "p99.9")]
    pub(super) p99_9: f64,
    pub(super) max: f64,
}

impl Percentiles {
    /// Returns `None` if there are no times.
    pub(super) fn of(times: &Histogram<u64>) -> Option<Self> {
        if times.is_empty() {
            return None;
        }
        let at = |quantile| millis(times.value_at_quantile(quantile));
        Some(Self {
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p99_9: at(0.999),
            max: millis(times.max()),
        })
    }

    pub(super) fn all(&self) -> [f64; 5] {
        [self.p50, self.p90, self.p99, self.p99_9, self.max]
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "an hour of microseconds is exact"
)]
fn millis(micros: u64) -> f64 {
    micros as f64 / 1_000.0
}
