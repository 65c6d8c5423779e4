//! An event that owns its text.

use std::borrow::Cow;

use sse_wire::EventType;

/// An event as a browser dispatches it ([HTML, 9.2.6]). With feature `json` it is `Serialize` and
/// `Deserialize`.
///
/// [HTML, 9.2.6]: https://html.spec.whatwg.org/#event-stream-interpretation
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
pub struct Event {
    /// The last event id of the stream at this event, even if the event itself had none. Empty if
    /// there is none.
    pub id: String,
    /// The type: `message` if the event named none, which is the usual case and needs no memory.
    pub event: Cow<'static, str>,
    /// The data, lines separated by LF.
    pub data: String,
}

impl From<sse_wire::Event<'_>> for Event {
    #[inline]
    fn from(event: sse_wire::Event<'_>) -> Self {
        Self {
            id: event.id.to_owned(),
            event: match event.event {
                EventType::MESSAGE => Cow::Borrowed(EventType::MESSAGE),
                named => Cow::Owned(named.to_owned()),
            },
            data: event.data.to_owned(),
        }
    }
}

#[cfg(feature = "json")]
impl Event {
    /// Parses the data as JSON. Available with feature `json`.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.data)
    }
}
