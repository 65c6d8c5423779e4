//! A decoder with small limits: it gives out the first items, then an error that stays.

use sse_wire::{DecodeError, Limits};

use crate::input::Input;
use crate::naive::line_ends;
use crate::ours;
use crate::seen::Decoded;

const MARK: &[u8] = "\u{feff}".as_bytes();

/// Checks that with the limits of the input the same items come out for all cuts, and an error
/// where something is too long.
pub(crate) fn check(input: &Input<'_>, expected: &Decoded) {
    let limits = Limits::default()
        .line_bytes(input.line_bytes)
        .event_bytes(input.event_bytes);
    let [(given, error), others @ ..] = input.cuts().map(|cut| ours::decode(cut, limits));
    for (other, other_error) in others {
        assert_eq!(other, given, "the items before the error");
        assert_eq!(other_error.is_some(), error.is_some(), "{error:?}");
    }

    let exceeded = Exceeded::new(input);
    let count = given.items.len();
    assert_eq!(given.items[..], expected.items[..count]);
    assert!(
        count <= before(exceeded.certainly, expected),
        "{exceeded:?}"
    );
    let possible = match error {
        Some(DecodeError::LineTooLong { limit }) => {
            assert_eq!(limit, input.line_bytes);
            Some(exceeded.line.expect("a line that is too long"))
        }
        Some(DecodeError::EventTooLarge { limit }) => {
            assert_eq!(limit, input.event_bytes);
            Some(exceeded.event.expect("an event that is too large"))
        }
        Some(other) => panic!("an error that this target does not know: {other:?}"),
        None => {
            assert_eq!(exceeded.certainly, None, "an error is missing");
            None
        }
    };
    assert!(count >= before(possible, expected), "{exceeded:?}");
}

/// Returns the number of items that are complete before this position, or in the whole stream.
fn before(position: Option<usize>, expected: &Decoded) -> usize {
    let is_before = |at: usize| position.is_none_or(|position| at < position);
    let items = expected.items.iter();
    items.filter(|(at, _)| is_before(*at)).count()
}

/// The ends of the first lines that exceed a limit, or with which an event does.
///
/// The documentation leaves three points open: if the byte order mark counts, how much of an
/// unfinished line counts for an event, and if bytes that are not UTF-8 count as they came or as
/// the U+FFFD that they become.
#[derive(Debug, Default)]
struct Exceeded {
    /// The end of the first that exceeds its limit in every way of counting.
    certainly: Option<usize>,
    /// The end of the first long line, if everything counts.
    line: Option<usize>,
    /// The end of the first line with which an event is too large, if everything counts.
    event: Option<usize>,
}

/// A length, counted in two ways.
#[derive(Clone, Copy, Debug, Default)]
struct Length {
    least: usize,
    most: usize,
}

impl Exceeded {
    fn new(input: &Input<'_>) -> Self {
        let mut exceeded = Self::default();
        let mut data: Option<Length> = None;
        for line in lines(input.stream) {
            let bare = line.without_mark();
            if bare.len() > input.line_bytes {
                exceeded.certainly.get_or_insert(line.end);
            }
            if line.bytes.len() > input.line_bytes {
                exceeded.line.get_or_insert(line.end);
            }
            if let Some(value) = data_value(bare) {
                let data = data.insert(Length::with_line(data, value));
                if data.least > input.event_bytes && line.is_finished {
                    exceeded.certainly.get_or_insert(line.end);
                }
                if data.most > input.event_bytes {
                    exceeded.event.get_or_insert(line.end);
                }
            } else if bare.is_empty() {
                data = None;
            }
        }
        exceeded
    }
}

impl Length {
    /// Returns the length with one more line of data.
    fn with_line(data: Option<Self>, value: &[u8]) -> Self {
        // The LF between this line and the one before.
        let before = data.map_or(Self::default(), |data| Self {
            least: data.least + 1,
            most: data.most + 1,
        });
        Self {
            least: before.least + value.len(),
            most: before.most + String::from_utf8_lossy(value).len(),
        }
    }
}

/// A line without its end.
#[derive(Debug)]
struct Line<'a> {
    bytes: &'a [u8],
    is_first: bool,
    is_finished: bool,
    /// The position after the first byte of its end, or after the stream if it has no end.
    end: usize,
}

impl<'a> Line<'a> {
    fn without_mark(&self) -> &'a [u8] {
        let mark = if self.is_first { MARK } else { &[] };
        self.bytes.strip_prefix(mark).unwrap_or(self.bytes)
    }
}

fn lines(stream: &[u8]) -> impl Iterator<Item = Line<'_>> {
    let mut start = 0;
    let after = stream.len() + 1;
    line_ends(stream).chain([after]).map(move |end| {
        let is_first = start == 0;
        let bytes = &stream[start..end - 1];
        let is_crlf = stream[end - 1..].starts_with(b"\r\n");
        start = if is_crlf { end + 1 } else { end };
        Line {
            bytes,
            is_first,
            is_finished: end < after,
            end,
        }
    })
}

fn data_value(line: &[u8]) -> Option<&[u8]> {
    match line.strip_prefix(b"data")? {
        [] => Some(&[]),
        [b':', b' ', value @ ..] | [b':', value @ ..] => Some(value),
        _ => None,
    }
}
