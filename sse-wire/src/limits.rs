//! The limits of a decoder, and the error when they are exceeded.

/// The most that a [`Decoder`](crate::Decoder) buffers before it gives up on a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The longest line in bytes, without its end.
    pub line_bytes: usize,
    /// The most data of one event in bytes, with the LF between lines, as they are in the stream: a
    /// byte that is not UTF-8 counts as one there and takes up to three as U+FFFD.
    pub event_bytes: usize,
}

/// The reason for which a [`Decoder`](crate::Decoder) gave up. Every later call returns the same
/// error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// A line is longer than [`Limits::line_bytes`].
    #[error(
        "a line of the event stream is longer than the limit of {limit} bytes; if the server is \
         trusted, raise both limits by `Limits::bytes`"
    )]
    LineTooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// The data of an event is longer than [`Limits::event_bytes`].
    #[error(
        "an event is larger than the limit of {limit} bytes; if the server is trusted, raise both \
         limits by `Limits::bytes`"
    )]
    EventTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
}

impl Limits {
    /// Sets both limits. A large event needs both, because its data may be in one line, where the
    /// name of the field counts, too: 16 bytes are added to that of the line.
    #[must_use]
    pub fn bytes(self, bytes: usize) -> Self {
        self.line_bytes(bytes.saturating_add(16)).event_bytes(bytes)
    }

    /// Sets the [longest line](Self#structfield.line_bytes).
    #[must_use]
    pub fn line_bytes(mut self, bytes: usize) -> Self {
        self.line_bytes = bytes;
        self
    }

    /// Sets the [most data of one event](Self#structfield.event_bytes).
    #[must_use]
    pub fn event_bytes(mut self, bytes: usize) -> Self {
        self.event_bytes = bytes;
        self
    }

    /// Checks a line that has at least this many bytes.
    pub(crate) fn check_line(self, bytes: usize) -> Result<(), DecodeError> {
        let limit = self.line_bytes;
        if bytes > limit {
            return Err(DecodeError::LineTooLong { limit });
        }
        Ok(())
    }

    /// Checks an event that has at least this many bytes of data.
    pub(crate) fn check_event(self, bytes: usize) -> Result<(), DecodeError> {
        let limit = self.event_bytes;
        if bytes > limit {
            return Err(DecodeError::EventTooLarge { limit });
        }
        Ok(())
    }
}

/// 4 MiB each for a line and an event: four times what a hub lets through by default, and
/// little enough to buffer for a thousand hostile streams.
impl Default for Limits {
    fn default() -> Self {
        Self {
            line_bytes: 4 << 20,
            event_bytes: 4 << 20,
        }
    }
}
