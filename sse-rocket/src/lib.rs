#![doc = include_str!("../README.md")]

mod extract;
mod headers;
mod rejection;
mod respond;
mod shutdown;

pub use extract::LastEventId;
pub use headers::SseHeaders;
pub use rejection::Rejection;
pub use respond::{Sse, events};
pub use shutdown::HubFairing;
pub use sse_core::*;
