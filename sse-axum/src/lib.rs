#![doc = include_str!("../README.md")]

mod error;
mod extract;
pub mod headers;
mod respond;

pub use error::SseError;
pub use extract::LastEventId;
#[doc(inline)]
pub use headers::{SseHeaders, SseHeadersLayer};
pub use respond::{Sse, events};
pub use sse_core;
#[doc(inline)]
pub use sse_core::{
    EventId, EventType, FiniteReplayer, Hub, Joe, Message, OnGap, Overflow, PublishError,
    ResumeFrom, SseBody, SubscribeError, Subscription, Topics, ValidReplayer, event_type,
};
