//! Continuing after a reconnect: the wish of a client, [`ResumeFrom`], and its [`Outcome`].

use crate::{
    wire::Message,
    wire::{EventId, EventType},
};

/// The place where a subscription begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResumeFrom {
    /// With the next message to be published: the client gave no id.
    #[default]
    Latest,
    /// After the message with this id.
    After(EventId),
    /// With the oldest message that is kept.
    Earliest,
    /// The client gave something that cannot be one of our ids: not UTF-8, no [`EventId`], or
    /// longer than [`EventId::MAX_BYTES`]. Always a [`Gap`].
    Unreadable,
}

impl ResumeFrom {
    /// Reads a `Last-Event-ID`, given as the bytes that arrived.
    ///
    /// The bytes are untrusted: ids are UTF-8, so a header API for ASCII text is not enough. An
    /// empty value is the same as none.
    pub fn from_bytes(value: &[u8]) -> Self {
        if value.is_empty() {
            return Self::Latest;
        }
        if value.len() > EventId::MAX_BYTES {
            return Self::Unreadable;
        }
        match std::str::from_utf8(value).map(EventId::try_from) {
            Ok(Ok(id)) => Self::After(id),
            _ => Self::Unreadable,
        }
    }

    /// Begins with the oldest message that is kept, if the client gave no id: a new client gets the
    /// whole history, and one that comes back gets the messages that it missed.
    #[must_use]
    pub fn or_earliest(self) -> Self {
        match self {
            Self::Latest => Self::Earliest,
            other => other,
        }
    }

    /// Returns the id, if there is one and it is readable.
    pub fn id(&self) -> Option<&EventId> {
        match self {
            Self::After(id) => Some(id),
            _ => None,
        }
    }
}

impl From<EventId> for ResumeFrom {
    /// An empty id is the same as none.
    fn from(id: EventId) -> Self {
        if id.is_empty() {
            Self::Latest
        } else {
            Self::After(id)
        }
    }
}

impl From<Option<EventId>> for ResumeFrom {
    fn from(id: Option<EventId>) -> Self {
        id.map_or(Self::Latest, Into::into)
    }
}

/// The fate of a subscriber's past. Never silent: a subscriber without a `Gap` has missed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// No id was given; the subscriber begins with the next message.
    Fresh,
    /// The id is known, or the [earliest](ResumeFrom::Earliest) message was asked for; everything
    /// from there comes first, then the messages that are published, in order, each once.
    Recovered,
    /// The messages after the id are not known, or are not kept any more; the subscriber begins as
    /// [`OnGap`](crate::OnGap) says.
    Gap(Gap),
}

/// The reason why a subscriber could not continue where it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Gap {
    /// No message with this id is kept in these topics: it was never given out here,
    /// or by a provider before a restart, or to another topic, or there is no history.
    #[error("the last event id is not known here")]
    Unknown,
    /// The id was given out, but the messages after it are no longer kept. An explicit id is
    /// forgotten with its message, and is then [unknown](Self::Unknown).
    #[error("what followed the last event id is no longer kept")]
    Expired,
    /// The client read too slowly, and messages were skipped:
    /// [`Overflow::Skip`](crate::Overflow::Skip).
    #[error("the client read too slowly, and messages were skipped")]
    Skipped,
}

impl Gap {
    /// The type of the in-band message that tells a client of a gap.
    pub const EVENT: EventType = EventType::from_static("gap");

    /// Returns the reason as it stands in the in-band message: `unknown`, `expired` or `skipped`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Expired => "expired",
            Self::Skipped => "skipped",
        }
    }

    /// Returns the in-band message: `event: gap` and the reason as JSON, `{"reason":"unknown"}`.
    ///
    /// At the beginning of a stream it gets the id of the place where the stream begins, so that a
    /// client which has been told goes on from there; in the middle of one it has none.
    pub fn message(self) -> Message {
        Message::data(format!(r#"{{"reason":"{}"}}"#, self.as_str())).event(Self::EVENT)
    }
}
