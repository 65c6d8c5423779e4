//! What comes out of a stream, as values that can be compared.

/// One thing that a decoder gives out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Event {
        id: String,
        event: String,
        data: String,
    },
    Comment(String),
    /// In milliseconds.
    Retry(u64),
}

/// Everything that comes out of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Decoded {
    /// Each with the number of bytes that are needed to know it.
    pub(crate) items: Vec<(usize, Seen)>,
    /// As it is after the last byte.
    pub(crate) last_event_id: String,
}
