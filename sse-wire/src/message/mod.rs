//! `Message`: an event before it is sent.

mod parse;
#[cfg(feature = "serde")]
mod serde;

use std::{fmt, time::Duration};

use bytes::Bytes;

pub use parse::ParseMessageError;

use crate::{
    encode,
    field::{EventId, EventType},
    lines::Lines,
};

/// One server-sent event before it is sent, with the fields of the standard and a comment.
///
/// A message that would break the stream cannot be made: [`EventId`], [`EventType`] and [`Lines`]
/// hold only text that is safe in their place. Each line of the data and of the comment is one line
/// on the wire.
///
/// Feature `serde` makes it `Serialize` and `Deserialize`: a map of its fields, `retry` in
/// milliseconds.
///
/// Printing a message gives its wire format, parsing reads it back, and
/// `message.to_string().parse()` is the same message, with `retry` in whole milliseconds.
///
/// ```
/// use std::time::Duration;
/// use sse_wire::{Message, event_type};
///
/// let message = Message::data("hello\nworld")
///     .event(event_type!("greeting"))
///     .id(42.into())
///     .retry(Duration::from_secs(3));
///
/// assert_eq!(message.data.as_deref(), Some("hello\nworld"));
/// assert_eq!(
///     message.to_string(),
///     "id: 42\nevent: greeting\nretry: 3000\ndata: hello\ndata: world\n\n",
/// );
/// assert_eq!(message.to_string().parse::<Message>()?, message);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Message {
    /// The id, which the client sends back when it reconnects.
    pub id: Option<EventId>,
    /// The type, by which the client picks its listener; `message` if there is none.
    pub event: Option<EventType>,
    /// The reconnection time: how long the client waits before it reconnects. It is sent in whole
    /// milliseconds, rounded down.
    pub retry: Option<Duration>,
    /// The data. A client dispatches no event without it; empty data is an event, too.
    pub data: Option<Lines>,
    /// The comment, which clients ignore and people with `curl` read.
    pub comment: Option<Lines>,
}

impl Message {
    /// Creates a message with data, the only kind that a client dispatches.
    #[must_use]
    pub fn data(data: impl Into<Lines>) -> Self {
        Self {
            data: Some(data.into()),
            ..Self::default()
        }
    }

    /// Creates a message whose data is the JSON of a value. Available with feature `json`.
    ///
    /// # Errors
    ///
    /// Those of `serde_json`: for a map whose keys are not strings, and from the value's own
    /// `Serialize`.
    #[cfg(feature = "json")]
    pub fn json<T: ::serde::Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        serde_json::to_string(value).map(Self::data)
    }

    /// Sets the [`id`](Self#structfield.id). A number is one with `.id(number.into())`.
    #[must_use]
    pub fn id(mut self, id: EventId) -> Self {
        self.id = Some(id);
        self
    }

    /// Sets the [type](Self#structfield.event): `.event(event_type!("trade"))`.
    #[must_use]
    pub fn event(mut self, event: EventType) -> Self {
        self.event = Some(event);
        self
    }

    /// Sets the [reconnection time](Self#structfield.retry).
    #[must_use]
    pub fn retry(mut self, retry: Duration) -> Self {
        self.retry = Some(retry);
        self
    }

    /// Sets the [`comment`](Self#structfield.comment).
    #[must_use]
    pub fn comment(mut self, comment: impl Into<Lines>) -> Self {
        self.comment = Some(comment.into());
        self
    }

    /// Returns `true` if no field is set, not even the comment.
    pub fn is_empty(&self) -> bool {
        self.comment.is_none() && !self.has_fields()
    }

    /// Returns `true` if a field of the standard is set, so that there is more than a comment.
    pub fn has_fields(&self) -> bool {
        self.id.is_some() || self.event.is_some() || self.retry.is_some() || self.data.is_some()
    }

    /// Encodes the message. Encode once and share: [`Bytes`] are cheap to clone.
    ///
    /// Lines end in LF and have one space after the colon. A blank line follows, except after a
    /// message that is only a comment, because some clients would make an event of it.
    pub fn to_bytes(&self) -> Bytes {
        encode::encode(self)
    }
}

/// The wire format.
impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The bytes are made of `str`s and ASCII, so nothing is ever replaced here.
        f.write_str(&String::from_utf8_lossy(&self.to_bytes()))
    }
}
