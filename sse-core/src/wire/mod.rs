//! The wire format: `text/event-stream` of the HTML standard, section 9.2.

mod decode;
mod encode;
pub(crate) mod line;

pub use decode::{DecodeError, Decoder, Event, Item, Limits};
pub(crate) use encode::{encode, join};
