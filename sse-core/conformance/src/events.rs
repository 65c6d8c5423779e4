//! Events as values that are easy to compare.

use sse_core::wire::{Decoder, Event, Item};

/// An event that owns its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedEvent {
    /// The last event id at this event.
    pub id: String,
    /// The type.
    pub event: String,
    /// The data.
    pub data: String,
}

impl From<Event<'_>> for OwnedEvent {
    fn from(event: Event<'_>) -> Self {
        Self {
            id: event.id.to_owned(),
            event: event.event.to_owned(),
            data: event.data.to_owned(),
        }
    }
}

/// The events that a decoder finds in more bytes of its stream.
pub fn decode(decoder: &mut Decoder, mut bytes: &[u8]) -> Vec<OwnedEvent> {
    let mut events = Vec::new();
    while let Some(item) = decoder
        .next(&mut bytes)
        .expect("the stream is within the limits")
    {
        if let Item::Event(event) = item {
            events.push(event.into());
        }
    }
    events
}
