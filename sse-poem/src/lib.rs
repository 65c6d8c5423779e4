#![doc = include_str!("../README.md")]

mod compression;
mod extract;
mod headers;
mod rejection;
mod respond;

pub use compression::{ExceptStreams, PassStreams, TakeStreams};
pub use extract::LastEventId;
pub use headers::{SseHeaders, SseHeadersEndpoint};
pub use rejection::Rejection;
pub use respond::{Sse, events};
pub use sse_core::*;
