#![doc = include_str!("../README.md")]

mod body;
mod error;
mod join;
mod overflow;
mod random;
mod subscriber;
mod subscription;
mod sync;
mod topics;
mod wake;

pub mod channel;
pub mod fanout;
pub mod hub;
pub mod joe;
pub mod provider;
pub mod replay;
pub mod response;
pub mod resume;

pub use body::SseBody;
pub use error::{PublishError, SubscribeError};
pub use hub::Hub;
pub use joe::Joe;
pub use overflow::Overflow;
#[doc(inline)]
pub use replay::{FiniteReplayer, ValidReplayer};
pub use resume::ResumeFrom;
#[doc(no_inline)]
pub use sse_wire as wire;
#[doc(inline)]
pub use sse_wire::{EventId, EventType, Message, event_type};
pub use subscription::{OnGap, Subscription};
pub use topics::Topics;
