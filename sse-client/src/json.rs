//! The data of events as JSON.

use std::{
    fmt,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_core::Stream;
use serde::de::DeserializeOwned;

use crate::{ErrorKind, Event, ReadError, Refused, Report};

/// The data of events, parsed as JSON: a stream or an iterator, as the events are. Available with
/// feature `json`.
///
/// Data that cannot be parsed is an error that holds the event; the next call continues with the
/// next event. Events without data are skipped: an MCP server sends one first, for its id.
///
/// The type of an event is not looked at. Servers report an error as an event of type `error` or as
/// data of another form: a required field in `T` makes that [`JsonError::Data`], and an `enum` can
/// have a variant for it. With a `T` whose fields are all optional it would look like a value.
pub struct Json<T, E> {
    events: E,
    value: PhantomData<fn() -> T>,
}

/// The reason why there is no value. Available with feature `json`.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// Reading the events failed.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The data is not JSON, or not the JSON that was expected: an error that the server reports in
    /// the stream, perhaps.
    #[error("the data of an event is not as expected; it begins: {:.200}", event.data)]
    Data {
        /// The event.
        event: Event,
        /// The error of the parser.
        source: serde_json::Error,
    },
}

/// The text with all causes: a `main` that returns the error prints its `Debug`, and the name of a
/// variant would not say what to do.
impl fmt::Debug for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Report::new(self), f)
    }
}

impl JsonError {
    /// Returns the kind of the error.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Read(error) => error.kind(),
            Self::Data { .. } => ErrorKind::Content,
        }
    }

    /// Returns the refusal, if the response was one: its text may say more.
    pub fn refused(&self) -> Option<&Refused> {
        match self {
            Self::Read(ReadError::Refused(refused)) => Some(refused),
            _ => None,
        }
    }
}

impl<T, E> Json<T, E> {
    pub(crate) fn new(events: E) -> Self {
        Self {
            events,
            value: PhantomData,
        }
    }
}

impl<T: DeserializeOwned, E> Json<T, E>
where
    E: Stream<Item = Result<Event, ReadError>> + Unpin,
{
    /// Returns the next value, or `None` at the end. Cancelling it loses nothing.
    pub async fn next(&mut self) -> Option<Result<T, JsonError>> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl<T: DeserializeOwned, E> Stream for Json<T, E>
where
    E: Stream<Item = Result<Event, ReadError>> + Unpin,
{
    type Item = Result<T, JsonError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            let event = ready!(Pin::new(&mut self.events).poll_next(cx));
            if !event.as_ref().is_some_and(has_no_data) {
                return Poll::Ready(event.map(value));
            }
        }
    }
}

impl<T: DeserializeOwned, E> Iterator for Json<T, E>
where
    E: Iterator<Item = Result<Event, ReadError>>,
{
    type Item = Result<T, JsonError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.events.find(|event| !has_no_data(event)).map(value)
    }
}

impl<T, E: fmt::Debug> fmt::Debug for Json<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Json").field(&self.events).finish()
    }
}

/// Returns `true` for an event that cannot be meant as JSON.
fn has_no_data(event: &Result<Event, ReadError>) -> bool {
    matches!(event, Ok(event) if event.data.is_empty())
}

fn value<T: DeserializeOwned>(event: Result<Event, ReadError>) -> Result<T, JsonError> {
    let event = event?;
    event
        .json()
        .map_err(|source| JsonError::Data { event, source })
}
