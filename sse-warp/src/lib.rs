#![doc = include_str!("../README.md")]

mod error;
mod extract;
mod headers;
mod respond;

pub use error::SseError;
pub use extract::{LastEventId, last_event_id};
pub use headers::sse_headers;
pub use respond::{Sse, events};
pub use sse_core;
#[doc(inline)]
pub use sse_core::{
    EventId, EventType, FiniteReplayer, Hub, Joe, Message, OnGap, Overflow, PublishError,
    ResumeFrom, SseBody, SubscribeError, Subscription, Topics, ValidReplayer, event_type,
};
