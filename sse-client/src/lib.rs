#![doc = include_str!("../README.md")]

mod event;
mod feed;
pub mod read;
mod source;
mod transport;

pub use event::Event;
pub use read::{BlockingEvents, Events, ReadError, read};
#[cfg(feature = "json")]
pub use read::{Json, JsonError};
#[cfg(feature = "reqwest")]
pub use reqwest;
pub use source::{
    Attempt, Backoff, Callback, Closed, Connecting, Error, EventSource, Handle, Open, Redirect,
    Update, retry,
};
pub use sse_wire::{DecodeError, Decoder, Item, Limits};
pub use transport::{Body, Transport, TransportError};

/// Any error of a body, a transport or a request of yours.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The project's README, so that its examples are compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct ProjectReadme;
