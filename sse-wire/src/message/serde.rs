//! A message as a map of the fields that are set. Available with feature `serde`.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Message;
use crate::{
    field::{EventId, EventType},
    lines::Lines,
};

/// The fields as they are serialised: `retry` in milliseconds, as on the wire.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<EventId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event: Option<EventType>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retry: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    data: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
}

/// Available with feature `serde`.
impl Serialize for Message {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let message = self.clone();
        Fields {
            id: message.id,
            event: message.event,
            retry: message
                .retry
                .map(|retry| retry.as_millis().try_into().unwrap_or(u64::MAX)),
            data: message.data.map(Lines::into_string),
            comment: message.comment.map(Lines::into_string),
        }
        .serialize(serializer)
    }
}

/// Available with feature `serde`. Line ends become LF, as in a message made in code.
impl<'de> Deserialize<'de> for Message {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Fields::deserialize(deserializer)?;
        Ok(Self {
            id: fields.id,
            event: fields.event,
            retry: fields.retry.map(Duration::from_millis),
            data: fields.data.map(Lines::from),
            comment: fields.comment.map(Lines::from),
        })
    }
}
