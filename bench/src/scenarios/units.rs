//! Counts, bytes and nanoseconds as the figures of tables.

use crate::clock;

/// Nanoseconds as milliseconds.
pub(super) fn milliseconds(nanos: u64) -> f64 {
    clock::seconds(nanos) * 1e3
}

/// Nanoseconds as microseconds.
pub(super) fn microseconds(nanos: u64) -> f64 {
    clock::seconds(nanos) * 1e6
}

/// Bytes as KB of 1,024.
#[expect(clippy::cast_precision_loss, reason = "bytes far below 2^52")]
pub(super) fn kilobytes(bytes: u64) -> f64 {
    bytes as f64 / 1_024.0
}

/// Bytes as MB of 1,024 KB.
pub(super) fn megabytes(bytes: u64) -> f64 {
    kilobytes(bytes) / 1_024.0
}

/// What falls to each of so many.
#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
pub(super) fn each(total: f64, count: usize) -> f64 {
    total / count as f64
}

/// How many percent of the whole a part is.
#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
pub(super) fn percent(part: usize, whole: usize) -> f64 {
    part as f64 * 100.0 / whole as f64
}
