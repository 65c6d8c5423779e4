//! The encoder: from a message to its bytes.

use bytes::{BufMut, Bytes, BytesMut};

use crate::message::Message;

/// A comment line, to be sent when a stream has been silent. No blank line follows it: some
/// clients would make an event of one.
pub const COMMENT: &[u8] = b":\n";

/// Writes comment, id, event, retry and data, then a blank line if there is more than a comment.
pub(crate) fn encode(message: &Message) -> Bytes {
    let mut out = BytesMut::with_capacity(size_hint(message));
    if let Some(comment) = &message.comment {
        lines(&mut out, b": ", comment);
    }
    if let Some(id) = &message.id {
        line(&mut out, b"id: ", id.as_str());
    }
    if let Some(event) = &message.event {
        line(&mut out, b"event: ", event.as_str());
    }
    if let Some(retry) = message.retry {
        let millis = retry.as_millis().min(u64::MAX.into());
        line(&mut out, b"retry: ", &millis.to_string());
    }
    if let Some(data) = &message.data {
        lines(&mut out, b"data: ", data);
    }
    if message.has_fields() {
        out.put_u8(b'\n');
    }
    out.freeze()
}

fn lines(out: &mut BytesMut, name: &[u8], text: &str) {
    for part in text.split('\n') {
        line(out, name, part);
    }
}

fn line(out: &mut BytesMut, name: &[u8], value: &str) {
    out.put_slice(name);
    out.put_slice(value.as_bytes());
    out.put_u8(b'\n');
}

/// Returns enough for a message of few lines, so that it is encoded into one allocation.
fn size_hint(message: &Message) -> usize {
    64 + message.data.as_deref().map_or(0, str::len)
        + message.id.as_ref().map_or(0, |id| id.as_str().len())
}
