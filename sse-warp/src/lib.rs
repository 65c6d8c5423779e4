#![doc = include_str!("../README.md")]

mod extract;
mod headers;
mod rejection;
mod respond;

pub use extract::{LastEventId, last_event_id};
pub use headers::sse_headers;
pub use rejection::Rejection;
pub use respond::{Sse, events};
pub use sse_core::*;
