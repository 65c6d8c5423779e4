//! The decoder: from bytes to events, incrementally and without I/O.

use std::{borrow::Cow, mem, time::Duration};

use crate::{
    block::{Block, Borrowed, KEPT_BYTES},
    item::Item,
    limits::{DecodeError, Limits},
    line::{Line, find_line_end, parse_retry, strip_bom, text},
};

/// Decodes an event stream as a browser does ([HTML, 9.2.6]), from chunks cut anywhere.
///
/// Feed it each chunk as it arrives and take the items out; an unfinished line or event is kept for
/// the next chunk. An item is returned as soon as the last byte of its line end is there, even if
/// that is a lone CR. Bytes that are not UTF-8 become U+FFFD. At the end of the stream there is
/// nothing to call: the standard discards an unfinished event.
///
/// Memory is bounded by [`Limits`], whatever the input is.
///
/// On a reconnect start a new decoder [`resume_from`](Self::resume_from):
/// the last event id outlives the connection, everything else does not.
///
/// [HTML, 9.2.6]: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
///
/// ```
/// use sse_wire::{Decoder, Item};
///
/// let mut decoder = Decoder::new();
/// let mut seen = Vec::new();
/// for chunk in ["data: hel", "lo\n\nda", "ta: world\n\n"] {
///     let mut input = chunk.as_bytes();
///     while let Some(item) = decoder.next(&mut input)? {
///         if let Item::Event(event) = item {
///             seen.push(event.data.to_owned());
///         }
///     }
/// }
/// assert_eq!(seen, ["hello", "world"]);
/// # Ok::<(), sse_wire::DecodeError>(())
/// ```
#[derive(Debug, Default)]
pub struct Decoder {
    limits: Limits,
    /// A line that has not ended in the chunks so far.
    line: Vec<u8>,
    block: Block,
    /// The last byte was a CR: a LF that follows belongs to it.
    after_cr: bool,
    /// The first line has been seen, and with it the byte order mark if there was one.
    started: bool,
    /// The event in `block` has been given out and is to be cleared.
    dispatched: bool,
    /// The beginning of the lines since the last event that are no fields.
    ignored: Vec<u8>,
    failed: Option<DecodeError>,
}

impl Decoder {
    /// Creates a decoder at the start of a stream, with the default [`Limits`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how much is buffered before the decoder gives up.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the id to start from: that of the last event before a reconnect.
    #[must_use]
    pub fn resume_from(mut self, id: impl Into<String>) -> Self {
        self.block.start_from(id.into());
        self
    }

    /// Returns the last event id, which a client sends as `Last-Event-ID` when it reconnects. Empty
    /// if there is none.
    ///
    /// It changes at the end of a block, even of one without data.
    pub fn last_event_id(&self) -> &str {
        self.block.last_event_id()
    }

    /// Returns the beginning of the lines since the last event that are no fields of the standard,
    /// with the unfinished line if it is none. Empty if there are none.
    ///
    /// The standard ignores them. At the end of a stream they may say why it ended: some servers
    /// send an error as JSON without a field.
    pub fn ignored(&self) -> Cow<'_, str> {
        if !is_ignored(&self.line) {
            return text(&self.ignored);
        }
        let mut all = self.ignored.clone();
        keep_ignored(&mut all, &self.line);
        Cow::Owned(text(&all).into_owned())
    }

    /// Returns the data of the event that has begun, which the standard discards at the end of a
    /// stream, with that of the unfinished line. `None` if it has none.
    pub fn unfinished_data(&self) -> Option<Cow<'_, str>> {
        let before = self.block.data().filter(|_| !self.dispatched);
        let Line::Data(last) = Line::parse(&self.line) else {
            return before.map(text);
        };
        let Some(before) = before else {
            return Some(text(last));
        };
        let all = [before, last].join(&b'\n');
        Some(Cow::Owned(text(&all).into_owned()))
    }

    /// Returns the next item, or `None` once the input is used up; then call it again with the next
    /// chunk.
    ///
    /// Takes what it has read off the front of `input`.
    pub fn next<'a, 'input: 'a>(
        &'a mut self,
        input: &mut &'input [u8],
    ) -> Result<Option<Item<'a>>, DecodeError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        if mem::take(&mut self.dispatched) {
            self.block.clear();
        }
        if !self.line.is_empty()
            && let Some(item) = self.next_of_cut_line(input)?
        {
            return Ok(Some(item));
        }
        self.next_of_lines(input)
    }

    /// Returns the next item of an input that begins with a line.
    fn next_of_lines<'a, 'input: 'a>(
        &'a mut self,
        input: &mut &'input [u8],
    ) -> Result<Option<Item<'a>>, DecodeError> {
        let whole = *input;
        let mut borrowed = Borrowed::default();
        let mut item = None;
        while let Some(&first) = input.first() {
            if self.after_cr {
                self.after_cr = false;
                if first == b'\n' {
                    *input = &input[1..];
                    continue;
                }
            }
            let Some(end) = find_line_end(input) else {
                self.buffer(input)?;
                *input = &[];
                break;
            };
            self.check_line(end)?;
            let (mut line, rest) = input.split_at(end);
            if rest[0] == b'\r' {
                self.after_cr = true;
            }
            *input = &rest[1..];
            if !self.started {
                self.started = true;
                line = strip_bom(line);
            }
            match Line::parse(line) {
                Line::Blank => {
                    if self.block.end(&mut borrowed) {
                        self.dispatched = true;
                        self.ignored.clear();
                        let read = &whole[..whole.len() - input.len()];
                        return Ok(Some(Item::Event(self.block.event(borrowed, read))));
                    }
                }
                Line::Data(value) => {
                    let added = self.block.add_data(value, &mut borrowed, self.limits);
                    self.or_give_up(added)?;
                }
                Line::Event(value) => Block::set_event(value, &mut borrowed),
                Line::Id(value) => Block::set_id(value, &mut borrowed),
                Line::Retry(value) => {
                    if let Some(millis) = parse_retry(value) {
                        item = Some(Item::Retry(Duration::from_millis(millis)));
                        break;
                    }
                }
                Line::Comment(value) => {
                    item = Some(Item::Comment(text(value)));
                    break;
                }
                Line::Unknown => keep_ignored(&mut self.ignored, line),
            }
        }
        self.block.keep(borrowed);
        Ok(item)
    }

    /// Returns the next item of an input that begins inside a line: once that line is whole, it is
    /// decoded as an input by itself.
    #[cold]
    fn next_of_cut_line(
        &mut self,
        input: &mut &[u8],
    ) -> Result<Option<Item<'static>>, DecodeError> {
        let Some(end) = find_line_end(input) else {
            self.buffer(input)?;
            *input = &[];
            return Ok(None);
        };
        self.check_line(end)?;
        let (tail, rest) = input.split_at(end + 1);
        *input = rest;
        let mut line = mem::take(&mut self.line);
        line.extend_from_slice(tail);
        let item = match self.next(&mut &line[..])? {
            Some(Item::Comment(text)) => Some(Item::Comment(Cow::Owned(text.into_owned()))),
            Some(Item::Retry(time)) => Some(Item::Retry(time)),
            // An event ends with a blank line. A blank line that was cut is a byte order mark,
            // before all events.
            Some(Item::Event(_)) | None => None,
        };
        line.clear();
        line.shrink_to(KEPT_BYTES);
        self.line = line;
        Ok(item)
    }

    fn buffer(&mut self, piece: &[u8]) -> Result<(), DecodeError> {
        self.check_line(piece.len())?;
        self.line.extend_from_slice(piece);
        Ok(())
    }

    /// Checks a line that has at least this many bytes besides those that are buffered.
    #[inline]
    fn check_line(&mut self, bytes: usize) -> Result<(), DecodeError> {
        let checked = self.limits.check_line(self.line.len() + bytes);
        self.or_give_up(checked)
    }

    #[inline]
    fn or_give_up(&mut self, result: Result<(), DecodeError>) -> Result<(), DecodeError> {
        result.inspect_err(|error| self.failed = Some(error.clone()))
    }
}

/// The most bytes of ignored lines that are kept.
const IGNORED_BYTES: usize = 1 << 10;

/// Appends a line, as far as there is room.
#[cold]
fn keep_ignored(ignored: &mut Vec<u8>, line: &[u8]) {
    let room = IGNORED_BYTES.saturating_sub(ignored.len());
    let line = line.iter().chain(b"\n");
    ignored.extend(line.take(room));
}

/// Returns `true` if an unfinished line is no field, whatever follows.
fn is_ignored(line: &[u8]) -> bool {
    let may_become = |name: &&str| name.as_bytes().starts_with(line);
    Line::parse(line) == Line::Unknown && !["data", "event", "id", "retry"].iter().any(may_become)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds a stream in pieces and takes everything out.
    fn feed(decoder: &mut Decoder, stream: &[u8]) {
        for mut piece in stream.chunks(1_000) {
            while decoder.next(&mut piece).unwrap().is_some() {}
        }
    }

    #[test]
    fn the_memory_of_a_huge_event_is_given_back() {
        let huge = "x".repeat(3 << 20);
        let streams = [
            format!("data: {huge}\n\n"),
            format!("data: {huge}\ndata: {huge}\n\n"),
            format!("event: {huge}\ndata: a\n\n"),
            format!("event: {huge}\n\n"),
            format!("id: {huge}\n\nid: 1\n\n"),
            format!(": {huge}\n"),
            format!("{huge}\n"),
        ];
        let not_text = [b"data: ", &*vec![0xff; 2 << 20], b"\n\n"].concat();
        let streams = streams.map(String::into_bytes);
        for stream in streams.into_iter().chain([not_text]) {
            let mut decoder = Decoder::new().limits(Limits::default().event_bytes(8 << 20));
            feed(&mut decoder, &stream);
            let kept = decoder.line.capacity() + decoder.block.capacity();
            let beginning = String::from_utf8_lossy(&stream[..9]);
            assert!(kept <= 4 * KEPT_BYTES, "{kept} bytes after {beginning:?}");
        }
    }

    #[test]
    fn an_event_in_one_piece_is_not_copied() {
        let mut decoder = Decoder::new();
        feed(&mut decoder, "event: a\ndata: b\n\n".repeat(10).as_bytes());
        feed(&mut decoder, b"data: caf\xc3\xa9\r\n\r\n");
        assert_eq!(decoder.block.capacity(), 0);
    }

    #[test]
    fn lines_that_are_no_fields_are_kept_until_the_next_event() {
        for (stream, expected) in [
            ("data: a\n\n", ""),
            ("{\"error\":1}", "{\"error\":1}\n"),
            ("{\"error\":1}\n", "{\"error\":1}\n"),
            ("data: a\n\n{\n  \"error\": 1\n}", "{\n  \"error\": 1\n}\n"),
            ("error: no\n\ndata: a\n\n", ""),
            ("data: a\n\nerror: no\n\n", "error: no\n"),
            ("data: a\n\neve", ""),
            ("data: a\n\n: b", ""),
        ] {
            for size in [1, 3, 1_000] {
                let mut decoder = Decoder::new();
                for mut piece in stream.as_bytes().chunks(size) {
                    while decoder.next(&mut piece).unwrap().is_some() {}
                }
                assert_eq!(decoder.ignored(), expected, "{stream:?} by {size}");
            }
        }
        let mut decoder = Decoder::new();
        feed(&mut decoder, "x\n".repeat(10_000).as_bytes());
        assert_eq!(decoder.ignored().len(), IGNORED_BYTES);
    }

    #[test]
    fn the_data_of_an_unfinished_event_can_be_looked_at() {
        for (stream, expected) in [
            ("", None),
            ("data: a\n\n", None),
            ("data: a", Some("a")),
            ("data: a\n", Some("a")),
            ("data: a\nid: 1\ndata: b", Some("a\nb")),
            ("data: a\n\ndata: b", Some("b")),
            ("id: 1", None),
        ] {
            for size in [1, 3, 1_000] {
                let mut decoder = Decoder::new();
                for mut piece in stream.as_bytes().chunks(size) {
                    while decoder.next(&mut piece).unwrap().is_some() {}
                }
                assert_eq!(
                    decoder.unfinished_data().as_deref(),
                    expected,
                    "{stream:?} by {size}"
                );
            }
        }
    }
}
