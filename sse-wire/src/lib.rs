#![doc = include_str!("../README.md")]

mod block;
mod decode;
mod encode;
mod error;
mod field;
mod http;
mod item;
mod limits;
mod line;
mod lines;
mod message;
mod text;

pub use decode::Decoder;
pub use encode::COMMENT;
pub use field::{EventId, EventType, InvalidField};
pub use http::{LAST_EVENT_ID, MEDIA_TYPE, is_event_stream};
pub use item::{Event, Item};
pub use limits::{DecodeError, Limits};
pub use lines::Lines;
pub use message::{Message, ParseMessageError};
