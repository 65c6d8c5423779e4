//! Lines of an event stream: where they end and what they say.

use std::borrow::Cow;

/// One line without its end, taken apart as in HTML, 9.2.6.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    /// Ends the event.
    Blank,
    /// Begins with a colon; one leading space of the text is removed.
    Comment(&'a [u8]),
    /// A field the standard knows.
    Field(Field, &'a [u8]),
    /// A field it does not know, to be ignored.
    Unknown,
}

/// The fields the standard knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Data,
    Event,
    Id,
    Retry,
}

impl<'a> Line<'a> {
    pub(crate) fn parse(line: &'a [u8]) -> Self {
        let (field, rest) = match line {
            [] => return Self::Blank,
            [b':', text @ ..] => return Self::Comment(strip_space(text)),
            [b'd', b'a', b't', b'a', rest @ ..] => (Field::Data, rest),
            [b'e', b'v', b'e', b'n', b't', rest @ ..] => (Field::Event, rest),
            [b'i', b'd', rest @ ..] => (Field::Id, rest),
            [b'r', b'e', b't', b'r', b'y', rest @ ..] => (Field::Retry, rest),
            _ => return Self::Unknown,
        };
        match rest {
            [] => Self::Field(field, rest),
            [b':', value @ ..] => Self::Field(field, strip_space(value)),
            _ => Self::Unknown,
        }
    }
}

fn strip_space(value: &[u8]) -> &[u8] {
    value.strip_prefix(b" ").unwrap_or(value)
}

/// The value of `retry` in milliseconds: ASCII digits only, anything too large is the largest.
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

/// The position of the first CR or LF.
pub(crate) fn find_line_end(bytes: &[u8]) -> Option<usize> {
    // A blank line ends every event; a search would take longer to start than this.
    if let Some(b'\r' | b'\n') = bytes.first() {
        return Some(0);
    }
    memchr::memchr2(b'\r', b'\n', bytes)
}

/// The text with every CRLF and CR as LF, which is what a client makes of it.
pub(crate) fn normalise_line_ends(text: String) -> String {
    if memchr::memchr(b'\r', text.as_bytes()).is_none() {
        return text;
    }
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// What follows a leading byte order mark, of which the standard removes one.
pub(crate) fn strip_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes)
}

/// UTF-8 decode of the Encoding standard: what is not UTF-8 becomes U+FFFD, never an error.
pub(crate) fn text(bytes: &[u8]) -> Cow<'_, str> {
    // Text that is as it should be is checked by the word this way, by the byte the other.
    str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}
