//! Events out of a body, whatever it comes from.

mod blocking;
mod error;
mod events;
#[cfg(feature = "json")]
mod json;
#[cfg(feature = "reqwest")]
mod response;
mod source;
mod until;

pub use blocking::BlockingEvents;
pub use error::ReadError;
#[cfg(feature = "reqwest")]
pub use error::Refused;
pub use events::Events;
#[cfg(feature = "json")]
pub use json::{Json, JsonError};
pub use source::{ByAsyncRead, ByBody, ByRead, ByStream, Source};
#[cfg(feature = "reqwest")]
pub use {response::ResponseBody, source::ByResponse};

/// The data of the event with which LLM servers end an answer.
const DONE: &str = "[DONE]";

/// Reads the events of a body: one answer, without reconnecting.
///
/// The body may be
/// - a `reqwest::Response`, with feature `reqwest`: one that is not an event stream, such as an
///   error of the server, is told as [`ReadError::Refused`] with the beginning of its text;
/// - a `Stream` of `Result<impl AsRef<[u8]>, _>`, such as `Bytes`, an `http_body::Body` of `Bytes`, or a tokio `AsyncRead`:
///   these become a stream of events, [`Events`];
/// - a blocking [`Read`](std::io::Read): it becomes an iterator, [`BlockingEvents`].
///
/// The few types that are several of these, such as `&[u8]`, have to be told which:
/// `read::<sse_client::read::ByRead, _>(bytes)`.
///
/// Dropping what is returned drops the body, and with it the request. Memory is bounded by [`Limits`](crate::Limits),
/// set with `limits`.
///
/// ```no_run
/// let file = std::fs::File::open("recorded.txt")?;
/// for event in sse_client::read(file) {
///     let event = event?;
///     println!("{}: {}", event.event, event.data);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read<Kind, S: Source<Kind>>(body: S) -> S::Events {
    body.events()
}
