#![doc = include_str!("../README.md")]

mod backoff;
mod chunk_decoder;
mod connection;
mod encoding;
mod error;
mod event;
mod event_source;
mod events;
mod handle;
#[cfg(feature = "json")]
mod json;
mod pause;
mod redirect;
mod refused;
mod report;
mod request;
#[cfg(feature = "reqwest")]
mod reqwest_client;
#[cfg(feature = "reqwest")]
mod response_body;
pub mod retry;
mod shown;
mod transport;
mod update;

#[cfg(feature = "json")]
pub use self::json::{Json, JsonError};
pub use self::{
    backoff::Backoff,
    error::{Error, ErrorKind, ReadError},
    event::Event,
    event_source::EventSource,
    events::{BlockingEvents, Events},
    handle::{Callback, Handle},
    redirect::RedirectError,
    refused::Refused,
    report::Report,
    request::Attempt,
    transport::{Body, Transport, TransportError},
    update::{Closed, Connecting, Open, Update},
};
#[cfg(feature = "reqwest")]
pub use self::{
    reqwest_client::RenewedClient,
    response_body::{ResponseBody, read},
};
#[cfg(feature = "reqwest")]
pub use reqwest;
pub use sse_wire::{DecodeError, Decoder, Item, Limits};

/// Any error of a body, a transport or a request of yours.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The project's README and its pages in `docs`, so that their examples are compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
#[doc = include_str!("../../docs/from-go-sse.md")]
#[doc = include_str!("../../docs/guarantees.md")]
#[doc = include_str!("../../docs/limits.md")]
#[doc = include_str!("../../docs/frameworks.md")]
struct ProjectDocuments;
