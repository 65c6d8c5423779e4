//! The data of a message: padding, the time of its publication, and one byte that counts it.
//!
//! Time and marker stand at the end: a reader that has seen the marker has seen the message.

use std::fmt::Write as _;

use memchr::{memchr, memchr_iter, memrchr};

/// Bytes of data in each message.
pub(crate) const SIZE: usize = 128;

/// A byte that stands once in every message and nowhere else in the output of a server.
const MARKER: u8 = b'@';

/// Hexadecimal digits of the time before the marker.
const DIGITS: usize = 16;

/// Makes data of `size` bytes, published at `time` (see [`clock::now`](crate::clock::now)).
pub(crate) fn data(time: u64, size: usize) -> String {
    let mut data = "x".repeat(size.saturating_sub(DIGITS + 1));
    // Writing to a string cannot fail.
    let _ = write!(data, "{time:0DIGITS$x}");
    data.push(char::from(MARKER));
    data
}

/// Counts the messages that end in these bytes.
pub(crate) fn count(bytes: &[u8]) -> u64 {
    memchr_iter(MARKER, bytes).count() as u64
}

/// Finds the times at which the first and the last message that end in these bytes were published.
///
/// `None` where framing or the end of the read cuts through the time; that sample is left out.
pub(crate) fn times(bytes: &[u8]) -> [Option<u64>; 2] {
    [memchr(MARKER, bytes), memrchr(MARKER, bytes)].map(|marker| {
        let end = marker?;
        let digits = bytes.get(end.checked_sub(DIGITS)?..end)?;
        u64::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_has_its_size_its_time_and_one_marker() {
        let data = data(0x1234, 128);
        assert_eq!(data.len(), 128);
        assert_eq!(count(data.as_bytes()), 1);
        assert_eq!(times(data.as_bytes()), [Some(0x1234); 2]);
    }

    #[test]
    fn first_and_last_of_several_are_found_and_cut_ones_left_out() {
        let both = format!("data: {}\n\ndata: {}\n\n", data(1, 64), data(2, 64));
        assert_eq!(times(both.as_bytes()), [Some(1), Some(2)]);
        let cut = &both.as_bytes()[60..];
        assert_eq!((count(cut), times(cut)), (2, [None, Some(2)]));
    }
}
