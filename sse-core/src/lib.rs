#![doc = include_str!("../README.md")]

mod attendant;
mod body;
mod error;
mod fanout;
mod field;
mod hub;
mod joe;
mod message;
mod overflow;
mod provider;
mod random;
mod replay;
pub mod response;
mod resume;
mod subscriber;
mod subscription;
mod sync;
mod text;
mod topics;
mod wire;

pub use body::{Disconnected, Sender, SseBody};
pub use error::{ProviderClosed, PublishError, SubscribeError};
pub use fanout::{Bounds, Fanout, Listener, Read};
pub use field::{EventId, EventType, InvalidField};
pub use hub::{Hub, HubBuilder};
pub use joe::{Joe, JoeBuilder};
pub use message::{Message, ParseMessageError};
pub use overflow::Overflow;
pub use provider::{Closed, Provider, Published};
pub use replay::{
    Cursor, Epoch, FiniteReplayer, InvalidBound, Page, Position, ReadError, Replayer, StoreError,
    Stored, Tail, ValidReplayer,
};
pub use resume::{Gap, Outcome, ResumeFrom};
pub use subscriber::{Deliveries, Subscriber};
pub use subscription::{OnGap, Subscription};
pub use topics::Topics;
pub use wire::{DecodeError, Decoder, Event, Item, Limits};
