//! How much a decoder holds, and what it says when that is too little.

/// How much a [`Decoder`](crate::Decoder) holds before it gives up on a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    line_bytes: usize,
    event_bytes: usize,
}

/// Why a [`Decoder`](crate::Decoder) gave up. Every later call gives the same error.
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

impl Limits {
    /// The longest line in bytes, without its end.
    #[must_use]
    pub fn line_bytes(mut self, bytes: usize) -> Self {
        self.line_bytes = bytes;
        self
    }

    /// The most data of one event in bytes, with the LF between lines, as they stand in the stream: what is not UTF-8 there takes up
    /// to three times as many as U+FFFD.
    #[must_use]
    pub fn event_bytes(mut self, bytes: usize) -> Self {
        self.event_bytes = bytes;
        self
    }

    /// A line of so many bytes, or more, is in the stream.
    pub(crate) fn check_line(self, bytes: usize) -> Result<(), DecodeError> {
        let limit = self.line_bytes;
        if bytes > limit {
            return Err(DecodeError::LineTooLong { limit });
        }
        Ok(())
    }

    /// An event has so many bytes of data, or more.
    pub(crate) fn check_event(self, bytes: usize) -> Result<(), DecodeError> {
        let limit = self.event_bytes;
        if bytes > limit {
            return Err(DecodeError::EventTooLarge { limit });
        }
        Ok(())
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
