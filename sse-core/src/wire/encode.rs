//! From a message to its bytes.

use bytes::{BufMut, Bytes, BytesMut};

use crate::message::Message;

/// The bytes of a message: comment, id, event, retry, data, then a blank line.
///
/// Lines end in LF, there is always one space after the colon, and each line of the
/// data is a line of its own. A message of nothing but a comment gets no blank line:
/// some clients make an event of one.
pub(crate) fn encode(message: &Message) -> Bytes {
    let mut out = BytesMut::with_capacity(size_hint(message));
    if let Some(comment) = message.comment_text() {
        lines(&mut out, b": ", comment);
    }
    if let Some(id) = message.event_id() {
        line(&mut out, b"id: ", id.as_str());
    }
    if let Some(event) = message.event_type() {
        line(&mut out, b"event: ", event.as_str());
    }
    if let Some(retry) = message.reconnection_time() {
        line(&mut out, b"retry: ", &retry.as_millis().to_string());
    }
    if let Some(data) = message.payload() {
        lines(&mut out, b"data: ", data);
    }
    if !message.is_comment() {
        out.put_u8(b'\n');
    }
    out.freeze()
}

/// Several messages in one piece; a single one is shared, not copied.
pub(crate) fn join<'a>(messages: impl IntoIterator<Item = &'a Bytes, IntoIter: Clone>) -> Bytes {
    let messages = messages.into_iter();
    let mut first_two = messages.clone();
    if let (Some(only), None) = (first_two.next(), first_two.next()) {
        return only.clone();
    }
    let mut out = BytesMut::with_capacity(messages.clone().map(Bytes::len).sum());
    messages.for_each(|message| out.put_slice(message));
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

/// Enough for a message of few lines, so that it is encoded into one allocation.
fn size_hint(message: &Message) -> usize {
    64 + message.payload().map_or(0, str::len)
        + message.event_id().map_or(0, |id| id.as_str().len())
}
