//! The items that come out of a stream, as values that can be compared.

/// One item that a decoder gives out.
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
    /// The items, each with the number of bytes that are needed to know it.
    pub(crate) items: Vec<(usize, Seen)>,
    /// The last event id after the last byte.
    pub(crate) last_event_id: String,
}
