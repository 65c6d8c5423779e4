#![doc = include_str!("../README.md")]

mod extract;
mod headers;
mod rejection;
mod respond;

pub use extract::LastEventId;
pub use headers::{SseHeaders, SseHeadersService, WithHeaders};
pub use rejection::Rejection;
pub use respond::{Sse, events};
pub use sse_core::*;
