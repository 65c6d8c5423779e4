//! Lines of an event stream: their ends and their fields.

use std::borrow::Cow;

/// One line without its end, taken apart as in HTML, 9.2.6.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    /// Ends the event.
    Blank,
    /// Begins with a colon; one leading space of the text is removed.
    Comment(&'a [u8]),
    Data(&'a [u8]),
    Event(&'a [u8]),
    Id(&'a [u8]),
    Retry(&'a [u8]),
    /// A field that the standard does not know, to be ignored.
    Unknown,
}

impl<'a> Line<'a> {
    #[expect(
        clippy::inline_always,
        reason = "a call for each line takes a tenth of the decoder's time"
    )]
    #[inline(always)]
    pub(crate) fn parse(line: &'a [u8]) -> Self {
        // By the first bytes: to search for a colon takes longer.
        if let Some(value) = value(line, b"data") {
            Self::Data(value)
        } else if let Some(value) = value(line, b"id") {
            Self::Id(value)
        } else if let Some(value) = value(line, b"event") {
            Self::Event(value)
        } else if let Some(value) = value(line, b"retry") {
            Self::Retry(value)
        } else {
            match line {
                [] => Self::Blank,
                [b':', text @ ..] => Self::Comment(strip_space(text)),
                _ => Self::Unknown,
            }
        }
    }
}

/// Returns the value of the field, if that is the name of the line's.
#[inline]
fn value<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    match line.strip_prefix(name)? {
        nothing @ [] => Some(nothing),
        [b':', value @ ..] => Some(strip_space(value)),
        _ => None,
    }
}

#[inline]
fn strip_space(value: &[u8]) -> &[u8] {
    value.strip_prefix(b" ").unwrap_or(value)
}

/// Returns the value of `retry` in milliseconds: ASCII digits only; a number that is too large is
/// the largest.
pub(crate) fn parse_retry(value: &[u8]) -> Option<u64> {
    if value.is_empty() {
        return None;
    }
    value.iter().try_fold(0_u64, |millis, &byte| {
        byte.is_ascii_digit().then(|| {
            millis
                .saturating_mul(10)
                .saturating_add(u64::from(byte - b'0'))
        })
    })
}

/// Returns the position of the first CR or LF.
#[inline]
pub(crate) fn find_line_end(bytes: &[u8]) -> Option<usize> {
    // A blank line ends every event; a search would take longer to start than this.
    if let Some(b'\r' | b'\n') = bytes.first() {
        return Some(0);
    }
    memchr::memchr2(b'\r', b'\n', bytes)
}

/// Returns the bytes without a leading byte order mark, of which the standard removes one.
pub(crate) fn strip_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes)
}

/// Decodes as "UTF-8 decode" of the Encoding standard does: bytes that are not UTF-8 become U+FFFD,
/// never an error.
pub(crate) fn text(bytes: &[u8]) -> Cow<'_, str> {
    utf8(bytes).map_or_else(|| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// The text, if the bytes are UTF-8.
#[inline]
pub(crate) fn utf8(bytes: &[u8]) -> Option<&str> {
    /// The length from which SIMD is faster, even if it has to begin at the end.
    const LONG: usize = 128;
    if bytes.len() < LONG {
        str::from_utf8(bytes).ok()
    } else {
        simdutf8::basic::from_utf8(bytes).ok()
    }
}
