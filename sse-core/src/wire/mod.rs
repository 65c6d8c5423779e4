//! The wire format: `text/event-stream` of the HTML standard, section 9.2.

mod block;
mod decode;
mod encode;
mod item;
mod limits;
pub(crate) mod line;

pub use decode::Decoder;
pub(crate) use encode::{encode, join};
pub use item::{Event, Item};
pub use limits::{DecodeError, Limits};
