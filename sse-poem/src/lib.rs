#![doc = include_str!("../README.md")]

mod compression;
mod error;
mod extract;
mod headers;
mod respond;

pub use compression::{ExceptStreams, PassStreams, TakeStreams};
pub use error::SseError;
pub use extract::LastEventId;
pub use headers::{SseHeaders, SseHeadersEndpoint};
pub use respond::{Sse, events};
pub use sse_core;
#[doc(inline)]
pub use sse_core::{
    EventId, EventType, FiniteReplayer, Hub, Joe, Message, OnGap, Overflow, PublishError,
    ResumeFrom, SseBody, SubscribeError, Subscription, Topics, ValidReplayer, event_type,
};
