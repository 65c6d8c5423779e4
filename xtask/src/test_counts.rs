//! The number of passed and failed tests, read from the output of `cargo test`.

use std::io::{self, Read, Write};
use std::ops::AddAssign;

/// The number of tests that passed and failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct TestCounts {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
}

impl TestCounts {
    /// Copies `from` to `to` as it arrives, and adds up the summaries in it.
    ///
    /// Bytes are passed on as they come, not line by line: libtest prints `test name ... ` before
    /// it runs the test, and the name is needed when a test hangs.
    pub(crate) fn copy(from: &mut impl Read, to: &mut impl Write) -> io::Result<Self> {
        let mut counts = Self::default();
        let mut line = Vec::new();
        let mut buffer = [0; 8192];
        loop {
            let length = match from.read(&mut buffer) {
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            to.write_all(&buffer[..length])?;
            to.flush()?;
            for &byte in &buffer[..length] {
                if byte == b'\n' {
                    counts += Self::of_line(&String::from_utf8_lossy(&line));
                    line.clear();
                } else {
                    line.push(byte);
                }
            }
            if length == 0 {
                counts += Self::of_line(&String::from_utf8_lossy(&line));
                return Ok(counts);
            }
        }
    }

    /// Returns the counts of `test result: ok. 3 passed; 0 failed; ...`, and zeros for any other
    /// line.
    fn of_line(line: &str) -> Self {
        let line = without_colours(line);
        let Some(summary) = line.trim().strip_prefix("test result: ") else {
            return Self::default();
        };
        let number_before = |word: &str| {
            let words: Vec<&str> = summary.split([' ', ';']).collect();
            words
                .windows(2)
                .find(|pair| pair[1] == word)
                .and_then(|pair| pair[0].parse().ok())
                .unwrap_or(0)
        };
        Self {
            passed: number_before("passed"),
            failed: number_before("failed"),
        }
    }
}

impl AddAssign for TestCounts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// Removes terminal escapes, `ESC [ ... m`: libtest colours the `ok`.
fn without_colours(line: &str) -> String {
    let mut plain = String::new();
    let mut inside_escape = false;
    for character in line.chars() {
        match character {
            '\x1b' => inside_escape = true,
            'm' if inside_escape => inside_escape = false,
            _ if inside_escape => {}
            _ => plain.push(character),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_line_is_read_and_no_other() {
        let rows = [
            (
                "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.10s",
                12,
                0,
            ),
            (
                "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out",
                3,
                2,
            ),
            (
                "test result: \x1b[32mok\x1b[0m. 7 passed; 0 failed; 0 ignored",
                7,
                0,
            ),
            ("test result: ok. 7 passed; 0 failed; 0 ignored\r", 7, 0),
            ("running 12 tests", 0, 0),
            (
                "the words test result: ok. 1 passed; 0 failed; inside a line",
                0,
                0,
            ),
            ("", 0, 0),
        ];
        for (line, passed, failed) in rows {
            assert_eq!(
                TestCounts::of_line(line),
                TestCounts { passed, failed },
                "{line}"
            );
        }
    }

    #[test]
    fn every_byte_is_copied_and_all_summaries_are_added_up() {
        let output = "running\ntest result: ok. 2 passed; 0 failed;\n\ntest result: FAILED. 1 passed; 3 failed;";
        for size in [1, 7, 8192] {
            let mut pieces = Pieces(output.as_bytes(), size);
            let mut copy = Vec::new();
            let counts = TestCounts::copy(&mut pieces, &mut copy).unwrap();
            assert_eq!(copy, output.as_bytes());
            assert_eq!(
                counts,
                TestCounts {
                    passed: 3,
                    failed: 3
                }
            );
        }
    }

    /// A pipe that gives at most this many bytes at a time.
    struct Pieces<'a>(&'a [u8], usize);

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let limit = self.1.min(buffer.len());
            self.0.read(&mut buffer[..limit])
        }
    }
}
