//! Several encoded messages in one piece.

use bytes::{BufMut, Bytes, BytesMut};

/// Joins messages into one piece; a single one is shared, not copied.
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
