//! Wall and CPU time of what this thread does.

use std::ops::AddAssign;

use crate::clock;

/// Nanoseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spent {
    pub(super) wall: f64,
    pub(super) cpu: f64,
}

/// Running since it was started.
///
/// To read the CPU clock is a system call: [`Stopwatch::own`] says what one measurement adds.
#[derive(Debug)]
pub(super) struct Stopwatch {
    cpu: u64,
    wall: u64,
}

impl Stopwatch {
    pub(super) fn start() -> Self {
        Self {
            cpu: clock::thread_cpu(),
            wall: clock::now(),
        }
    }

    pub(super) fn stop(self) -> Spent {
        let wall = clock::now();
        let cpu = clock::thread_cpu();
        Spent {
            wall: nanos(wall - self.wall),
            cpu: nanos(cpu - self.cpu),
        }
    }

    /// What a measurement of nothing gives: the median of a thousand.
    pub(super) fn own() -> Spent {
        let spent: Vec<Spent> = (0..1_000).map(|_| Self::start().stop()).collect();
        Spent {
            wall: median(spent.iter().map(|spent| spent.wall)),
            cpu: median(spent.iter().map(|spent| spent.cpu)),
        }
    }
}

impl Spent {
    /// Without what so many measurements have added themselves.
    pub(super) fn without(self, own: Self, measurements: usize) -> Self {
        let measurements = real(measurements);
        Self {
            wall: (self.wall - own.wall * measurements).max(0.0),
            cpu: (self.cpu - own.cpu * measurements).max(0.0),
        }
    }

    /// Wall and CPU time of one, if it was spent on so many.
    pub(super) fn each(self, count: usize) -> [f64; 2] {
        [self.wall / real(count), self.cpu / real(count)]
    }
}

impl AddAssign for Spent {
    fn add_assign(&mut self, other: Self) {
        self.wall += other.wall;
        self.cpu += other.cpu;
    }
}

/// A count to calculate with.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
pub(super) fn real(count: usize) -> f64 {
    count as f64
}

/// Nanoseconds to calculate with.
#[expect(clippy::cast_precision_loss, reason = "exact up to 52 days")]
pub(super) fn nanos(time: u64) -> f64 {
    time as f64
}

/// A count as people read it: "100,000".
pub(super) fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped_by_thousands() {
        let cases = [
            (1, "1"),
            (999, "999"),
            (1_000, "1,000"),
            (1_234_567, "1,234,567"),
        ];
        for (count, expected) in cases {
            assert_eq!(grouped(count), expected);
        }
    }

    #[test]
    fn a_stopwatch_sees_what_the_thread_does() {
        let watch = Stopwatch::start();
        let sum: u64 = (0..1_000_000).map(std::hint::black_box).sum();
        let spent = watch.stop();
        assert!(sum > 0 && spent.wall > 0.0 && spent.cpu > 0.0);
    }
}
