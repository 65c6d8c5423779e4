//! `Opening`: the beginning of a body.

use std::time::Duration;

use bytes::Bytes;

use crate::{resume::Gap, wire::COMMENT, wire::EventId};

/// The first bytes of a body. There are always some, so that `EventSource.onopen` and proxies need
/// not wait for an event.
#[derive(Default)]
pub(super) struct Opening {
    /// The place where the stream begins.
    pub(super) id: Option<EventId>,
    /// The gap that the client is told of.
    pub(super) gap: Option<Gap>,
}

impl Opening {
    /// Returns the bytes, with the time after which to reconnect.
    ///
    /// An id is followed by a blank line, because no client keeps it without one. Where there is no
    /// id, there is no blank line either, because some clients would make an event of it.
    pub(super) fn into_bytes(self, retry: Option<Duration>) -> Bytes {
        let Self { id, gap } = self;
        let has_place = id.is_some();
        let mut message = gap.map(Gap::message).unwrap_or_default();
        if let Some(id) = id {
            message = message.id(id);
        }
        if let Some(retry) = retry {
            message = message.retry(retry);
        }
        if has_place || message.data.is_some() {
            return message.to_bytes();
        }
        let fields = message.to_bytes();
        let fields = fields.strip_suffix(b"\n").unwrap_or_default();
        [COMMENT, fields].concat().into()
    }
}
