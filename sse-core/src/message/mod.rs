//! `Message`: what is published.

mod parse;
#[cfg(feature = "serde")]
mod serde;

use std::{fmt, time::Duration};

use bytes::Bytes;

pub use parse::ParseMessageError;

use crate::{
    error::PublishError,
    field::{EventId, EventType},
    resume::Gap,
    wire::{self, line::normalise_line_ends},
};

/// One server-sent event before it is sent, with the fields of the standard and a comment.
///
/// Any text can be data or a comment: CR and CRLF become LF, as they would at the
/// client, and each line gets a line of its own on the wire. What would break the
/// stream cannot be put in: see [`EventId`] and [`EventType`].
///
/// Feature `serde` makes it `Serialize` and `Deserialize`: a map of its fields, `retry` in
/// milliseconds.
///
/// Printing a message gives its wire format, parsing reads it back, and
/// `message.to_string().parse()` is the same message.
///
/// ```
/// use std::time::Duration;
/// use sse_core::{Message, event_type};
///
/// let message = Message::data("hello\nworld")
///     .event(event_type!("greeting"))
///     .id(42.into())
///     .retry(Duration::from_secs(3));
///
/// assert_eq!(
///     message.to_string(),
///     "id: 42\nevent: greeting\nretry: 3000\ndata: hello\ndata: world\n\n",
/// );
/// assert_eq!(message.to_string().parse::<Message>()?, message);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Message {
    id: Option<EventId>,
    event: Option<EventType>,
    retry: Option<Duration>,
    data: Option<String>,
    comment: Option<String>,
}

impl Message {
    /// A message with data, the only kind that a client dispatches. Empty data is an event too.
    #[must_use]
    pub fn data(data: impl Into<String>) -> Self {
        Self {
            data: Some(normalise_line_ends(data.into())),
            ..Self::default()
        }
    }

    /// A message whose data is the JSON of a value. Available with feature `json`.
    ///
    /// Fails as `serde_json` fails: a map whose keys are not strings, or an error
    /// from the value's own `Serialize`.
    #[cfg(feature = "json")]
    pub fn json<T: ::serde::Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        serde_json::to_string(value).map(Self::data)
    }

    /// A message without data: `id`, `retry` and comments reach the client, but it dispatches no event.
    #[must_use]
    pub fn without_data() -> Self {
        Self::default()
    }

    /// Sets the id, which the client sends back when it reconnects. A number is one with
    /// `.id(number.into())`.
    #[must_use]
    pub fn id(mut self, id: EventId) -> Self {
        self.id = Some(id);
        self
    }

    /// Sets the type, by which the client picks its listener: `.event(event_type!("trade"))`.
    #[must_use]
    pub fn event(mut self, event: EventType) -> Self {
        self.event = Some(event);
        self
    }

    /// Sets the reconnection time: how long the client waits before it reconnects.
    ///
    /// Sent in whole milliseconds; a fraction is cut off.
    #[must_use]
    pub fn retry(mut self, retry: Duration) -> Self {
        let millis = retry.as_millis().try_into().unwrap_or(u64::MAX);
        self.retry = Some(Duration::from_millis(millis));
        self
    }

    /// Sets the comment, which clients ignore and people with `curl` read.
    #[must_use]
    pub fn comment(mut self, comment: impl Into<String>) -> Self {
        self.comment = Some(normalise_line_ends(comment.into()));
        self
    }

    /// The id, if the message has one.
    pub fn event_id(&self) -> Option<&EventId> {
        self.id.as_ref()
    }

    /// The type, if the message names one.
    pub fn event_type(&self) -> Option<&EventType> {
        self.event.as_ref()
    }

    /// The reconnection time, if the message sets one.
    pub fn reconnection_time(&self) -> Option<Duration> {
        self.retry
    }

    /// The data as the client will see it: lines separated by LF.
    pub fn payload(&self) -> Option<&str> {
        self.data.as_deref()
    }

    /// The comment, lines separated by LF.
    pub fn comment_text(&self) -> Option<&str> {
        self.comment.as_deref()
    }

    /// Whether there is nothing in it at all.
    pub fn is_empty(&self) -> bool {
        self.comment.is_none() && self.is_comment()
    }

    /// The message on the wire. Encode once and share: [`Bytes`] are cheap to clone.
    pub fn to_bytes(&self) -> Bytes {
        wire::encode(self)
    }

    /// Returns the message as it is published, or why it is not. For providers, which call it first.
    ///
    /// An empty id is taken for none, because it would make clients forget where they are: what they then miss
    /// would be missed in silence. Refused are a message without anything, one with more than `max_bytes` bytes of data and
    /// comment, an id longer than [`EventId::MAX_BYTES`], and the type [`Gap::EVENT`], by which clients are told of a
    /// gap and nothing else.
    pub fn accepted(mut self, max_bytes: usize) -> Result<Self, PublishError> {
        self.id = self.id.filter(|id| !id.is_empty());
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let size = text(&self.data) + text(&self.comment);
        let id_size = self.id.as_ref().map_or(0, |id| id.as_str().len());
        if self.is_empty() {
            Err(PublishError::Empty)
        } else if size > max_bytes {
            Err(PublishError::TooLarge {
                size,
                limit: max_bytes,
            })
        } else if id_size > EventId::MAX_BYTES {
            Err(PublishError::IdTooLong {
                size: id_size,
                limit: EventId::MAX_BYTES,
            })
        } else if self.event == Some(Gap::EVENT) {
            Err(PublishError::ReservedType)
        } else {
            Ok(self)
        }
    }

    /// Whether it belongs into a history: it has something that a client could miss or resume from.
    pub(crate) fn is_kept(&self) -> bool {
        self.data.is_some() || self.id.is_some()
    }

    /// Whether there is no field in it, only perhaps a comment.
    pub(crate) fn is_comment(&self) -> bool {
        self.id.is_none() && self.event.is_none() && self.retry.is_none() && self.data.is_none()
    }
}

/// The wire format.
impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The bytes are made of `str`s and ASCII, so nothing is ever replaced here.
        f.write_str(&String::from_utf8_lossy(&self.to_bytes()))
    }
}
