//! From bytes to events, incrementally and without I/O.

use std::{borrow::Cow, time::Duration};

use super::line::{Field, Line, find_line_end, parse_retry, strip_bom, text};
use crate::field::EventType;

/// Decodes an event stream as a browser does ([HTML, 9.2.6]), from chunks cut anywhere.
///
/// Feed it each chunk as it arrives and take the items out; what is unfinished is kept
/// for the next chunk. An item is given as soon as the last byte of its line end is there,
/// also where that is a lone CR. Bytes that are not UTF-8 become U+FFFD. At the end of
/// the stream there is nothing to call: the standard discards an unfinished event.
///
/// Memory is bounded by [`Limits`], whatever is fed.
///
/// On a reconnect start a new decoder [`with_last_event_id`](Self::with_last_event_id):
/// the last event id outlives the connection, everything else does not.
///
/// [HTML, 9.2.6]: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
///
/// ```
/// use sse_core::{Decoder, Item};
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
/// # Ok::<(), sse_core::DecodeError>(())
/// ```
#[derive(Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four independent facts about the position in the stream"
)]
pub struct Decoder {
    limits: Limits,
    /// A line that has not ended in the chunks so far.
    line: Vec<u8>,
    data: String,
    event: String,
    id: String,
    last_event_id: String,
    comment: String,
    has_data: bool,
    /// The last byte was a CR: a LF that follows belongs to it.
    after_cr: bool,
    /// The first line has been seen, and with it the byte order mark if there was one.
    started: bool,
    /// The event in `data` and `event` has been given out and is to be cleared.
    dispatched: bool,
    failed: Option<DecodeError>,
}

/// How much a [`Decoder`] holds before it gives up on a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    line_bytes: usize,
    event_bytes: usize,
}

/// What a [`Decoder`] finds in a stream. Borrows from the decoder or its input.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Item<'a> {
    /// An event is dispatched.
    Event(Event<'a>),
    /// A comment line; one leading space is removed. Servers send them to keep connections alive.
    Comment(Cow<'a, str>),
    /// The server sets the reconnection time. It takes effect at once, also without an event.
    Retry(Duration),
}

/// An event as a browser dispatches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// The last event id of the stream at this event, also where the event itself had none.
    pub id: &'a str,
    /// The type; `message` where the event named none.
    pub event: &'a str,
    /// The data, lines separated by LF.
    pub data: &'a str,
}

/// Why a [`Decoder`] gave up. Every later call gives the same error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// A line is longer than [`Limits::line_bytes`].
    #[error(
        "a line of the event stream is longer than the limit of {limit} bytes; raise `Limits::line_bytes` if the server is trusted"
    )]
    LineTooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// The data of an event is longer than [`Limits::event_bytes`].
    #[error(
        "an event is larger than the limit of {limit} bytes; raise `Limits::event_bytes` if the server is trusted"
    )]
    EventTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
}

/// The kind of item that a line completes; its text stands in the decoder.
#[derive(Clone, Copy)]
enum Completed {
    Event,
    Comment,
    Retry(Duration),
}

impl Decoder {
    /// A decoder at the start of a stream, with the default [`Limits`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how much is held before the decoder gives up.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the id to start from: that of the last event before a reconnect.
    #[must_use]
    pub fn with_last_event_id(mut self, id: impl Into<String>) -> Self {
        self.last_event_id = id.into();
        self.id.clone_from(&self.last_event_id);
        self
    }

    /// The last event id: what a client sends as `Last-Event-ID` when it reconnects. Empty if there is none.
    ///
    /// Changes at the end of a block, also of one without data.
    pub fn last_event_id(&self) -> &str {
        &self.last_event_id
    }

    /// The next item, or `None` once the input is used up; then call again with the next chunk.
    ///
    /// Takes what it has read off the front of `input`.
    pub fn next<'a, 'input: 'a>(
        &'a mut self,
        input: &mut &'input [u8],
    ) -> Result<Option<Item<'a>>, DecodeError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        match self.advance(input) {
            Ok(completed) => Ok(completed.map(|completed| self.item(completed))),
            Err(error) => {
                self.failed = Some(error.clone());
                Err(error)
            }
        }
    }

    fn advance(&mut self, input: &mut &[u8]) -> Result<Option<Completed>, DecodeError> {
        if self.dispatched {
            self.clear_event();
        }
        while let Some(&first) = input.first() {
            if std::mem::take(&mut self.after_cr) && first == b'\n' {
                *input = &input[1..];
                continue;
            }
            let Some(end) = find_line_end(input) else {
                self.check_line(input.len())?;
                self.line.extend_from_slice(input);
                *input = &[];
                break;
            };
            self.check_line(end)?;
            let (line, rest) = input.split_at(end);
            self.after_cr = rest[0] == b'\r';
            *input = &rest[1..];
            if let Some(completed) = self.line(line)? {
                return Ok(Some(completed));
            }
        }
        Ok(None)
    }

    /// A line has ended; `tail` is the part of it in the current chunk.
    fn line(&mut self, tail: &[u8]) -> Result<Option<Completed>, DecodeError> {
        if self.line.is_empty() {
            return self.interpret(tail);
        }
        let mut line = std::mem::take(&mut self.line);
        line.extend_from_slice(tail);
        let completed = self.interpret(&line);
        line.clear();
        self.line = line;
        completed
    }

    fn interpret(&mut self, mut line: &[u8]) -> Result<Option<Completed>, DecodeError> {
        if !std::mem::replace(&mut self.started, true) {
            line = strip_bom(line);
        }
        match Line::parse(line) {
            Line::Blank => return Ok(self.dispatch()),
            Line::Comment(value) => {
                replace(&mut self.comment, value);
                return Ok(Some(Completed::Comment));
            }
            Line::Field(Field::Data, value) => self.append_data(value)?,
            Line::Field(Field::Event, value) => replace(&mut self.event, value),
            Line::Field(Field::Id, value) => {
                if !value.contains(&0) {
                    replace(&mut self.id, value);
                }
            }
            Line::Field(Field::Retry, value) => {
                return Ok(parse_retry(value)
                    .map(|millis| Completed::Retry(Duration::from_millis(millis))));
            }
            Line::Unknown => {}
        }
        Ok(None)
    }

    fn append_data(&mut self, value: &[u8]) -> Result<(), DecodeError> {
        if std::mem::replace(&mut self.has_data, true) {
            self.data.push('\n');
        }
        let limit = self.limits.event_bytes;
        if self.data.len() + value.len() > limit {
            return Err(DecodeError::EventTooLarge { limit });
        }
        self.data.push_str(&text(value));
        Ok(())
    }

    fn dispatch(&mut self) -> Option<Completed> {
        self.last_event_id.clone_from(&self.id);
        if self.has_data {
            self.dispatched = true;
            return Some(Completed::Event);
        }
        self.clear_event();
        None
    }

    fn clear_event(&mut self) {
        self.data.clear();
        self.event.clear();
        self.has_data = false;
        self.dispatched = false;
    }

    fn item(&self, completed: Completed) -> Item<'_> {
        match completed {
            Completed::Event => Item::Event(Event {
                id: &self.last_event_id,
                event: if self.event.is_empty() {
                    EventType::MESSAGE
                } else {
                    &self.event
                },
                data: &self.data,
            }),
            Completed::Comment => Item::Comment(Cow::Borrowed(&self.comment)),
            Completed::Retry(duration) => Item::Retry(duration),
        }
    }

    fn check_line(&self, more: usize) -> Result<(), DecodeError> {
        let limit = self.limits.line_bytes;
        if self.line.len() + more > limit {
            return Err(DecodeError::LineTooLong { limit });
        }
        Ok(())
    }
}

impl Limits {
    /// The longest line in bytes, without its end.
    #[must_use]
    pub fn line_bytes(mut self, bytes: usize) -> Self {
        self.line_bytes = bytes;
        self
    }

    /// The most data of one event in bytes.
    #[must_use]
    pub fn event_bytes(mut self, bytes: usize) -> Self {
        self.event_bytes = bytes;
        self
    }
}

/// 4 MiB each for a line and an event: four times what `Joe` lets through by default, and
/// little enough to hold for a thousand hostile streams.
impl Default for Limits {
    fn default() -> Self {
        Self {
            line_bytes: 4 << 20,
            event_bytes: 4 << 20,
        }
    }
}

fn replace(buffer: &mut String, value: &[u8]) {
    buffer.clear();
    buffer.push_str(&text(value));
}
