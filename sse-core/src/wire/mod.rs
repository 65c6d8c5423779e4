//! The wire format: `text/event-stream` of the HTML standard, section 9.2.

mod block;
mod decode;
mod encode;
mod item;
mod limits;
pub(crate) mod line;

/// A comment line without a blank line, which some clients would make an event of.
pub(crate) const COMMENT: &[u8] = b":\n";

pub use decode::Decoder;
pub(crate) use encode::{encode, join};
pub use item::{Event, Item};
pub use limits::{DecodeError, Limits};
