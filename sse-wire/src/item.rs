//! The items that a decoder returns.

use std::{borrow::Cow, time::Duration};

/// An item that a [`Decoder`](crate::Decoder) finds in a stream. It borrows from the decoder or its
/// input.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Item<'a> {
    /// An event is dispatched.
    Event(Event<'a>),
    /// A comment line; one leading space is removed. Servers send them to keep connections alive.
    Comment(Cow<'a, str>),
    /// The server sets the reconnection time. It takes effect at once, even without an event.
    Retry(Duration),
}

/// An event as a browser dispatches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// The last event id of the stream at this event, even if the event itself had none.
    pub id: &'a str,
    /// The type; `message` if the event named none.
    pub event: &'a str,
    /// The data, its lines separated by LF.
    pub data: &'a str,
}
