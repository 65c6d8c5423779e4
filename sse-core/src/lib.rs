//! Server-sent events: messages and the wire format so far.
mod field;
mod message;
mod topics;
mod wire;

pub use field::{EventId, EventType, InvalidField};
pub use message::{Message, ParseMessageError};
pub use topics::Topics;
pub use wire::{DecodeError, Decoder, Event, Item, Limits};
