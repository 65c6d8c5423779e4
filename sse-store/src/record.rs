//! The records of a store: keys that sort as they are read, and values.
//!
//! | key | value |
//! |---|---|
//! | `0` last position | a commit: first position, time, bytes in the segment so far |
//! | `1` topic, position | a message of the topic: the origin of its id, then the bytes on the wire, or nothing if they are apart |
//! | `2` topic, explicit id, NUL, position | nothing |
//! | `3` position | the bytes on the wire of a message of several topics |
//! | `4` explicit id | nothing: there is a message with it in some topic |
//!
//! Numbers are big-endian, so that they sort. Before a topic stands its length, so that none is the
//! beginning of another; an id holds no NUL.
//!
//! A message takes what its records take, with a little for each: see [`stored_size`]. So its
//! topics count as often as they are written.

use sse_core::EventId;

const COMMIT: u8 = 0;
const MESSAGE: u8 = 1;
const EXPLICIT_ID: u8 = 2;
const BODY: u8 = 3;
const KNOWN_ID: u8 = 4;

/// The bytes that the engine adds to a record, about.
const OVERHEAD: u64 = 24;

/// The longest topic in bytes: keys of the engine are shorter than 64 KiB, and some hold an id as
/// well.
pub(crate) const MAX_TOPIC: usize = 60_000;

/// The record of messages that were written at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Commit {
    pub first: u64,
    pub last: u64,
    /// The time of the store, in milliseconds: see
    /// [`Segments::now`](crate::segments::Segments::now).
    pub time: u64,
    /// Bytes of all messages of the segment so far.
    pub bytes: u64,
}

impl Commit {
    /// The bytes that one takes: see [`stored_size`].
    pub(crate) const SIZE: u64 = 9 + 24 + OVERHEAD;

    pub(crate) fn key(last: u64) -> [u8; 9] {
        let mut key = [COMMIT; 9];
        key[1..].copy_from_slice(&last.to_be_bytes());
        key
    }

    pub(crate) fn value(&self) -> [u8; 24] {
        let mut value = [0; 24];
        for (part, number) in value
            .chunks_exact_mut(8)
            .zip([self.first, self.time, self.bytes])
        {
            part.copy_from_slice(&number.to_be_bytes());
        }
        value
    }

    /// Reads a record; `None` if it is not one.
    pub(crate) fn read(key: &[u8], value: &[u8]) -> Option<Self> {
        let (&COMMIT, last) = key.split_first()? else {
            return None;
        };
        let number = |from: usize| Some(u64::from_be_bytes(*value.get(from..)?.first_chunk()?));
        Some(Self {
            first: number(0)?,
            last: u64::from_be_bytes(last.try_into().ok()?),
            time: number(8)?,
            bytes: number(16)?,
        })
    }
}

/// Returns the bytes that a record takes.
pub(crate) fn stored_size(key: &[u8], value: &[u8]) -> u64 {
    key.len() as u64 + value.len() as u64 + OVERHEAD
}

/// Returns the key of the message of a topic.
pub(crate) fn message_key(topic: &str, position: u64) -> Vec<u8> {
    key(MESSAGE, topic, None, position)
}

/// Returns the key of an explicit id of a message of a topic.
pub(crate) fn explicit_id_key(topic: &str, id: &EventId, position: u64) -> Vec<u8> {
    key(EXPLICIT_ID, topic, Some(id), position)
}

fn key(kind: u8, topic: &str, id: Option<&EventId>, position: u64) -> Vec<u8> {
    let id = id.map(EventId::as_str);
    let mut key = Vec::with_capacity(12 + topic.len() + id.map_or(0, str::len));
    key.push(kind);
    let length = u16::try_from(topic.len()).unwrap_or(u16::MAX);
    key.extend_from_slice(&length.to_be_bytes());
    key.extend_from_slice(topic.as_bytes());
    if let Some(id) = id {
        key.extend_from_slice(id.as_bytes());
        key.push(0);
    }
    key.extend_from_slice(&position.to_be_bytes());
    key
}

/// Returns the key of the bytes of a message of several topics.
pub(crate) fn body_key(position: u64) -> Vec<u8> {
    [&[BODY], position.to_be_bytes().as_slice()].concat()
}

/// Returns the key of an explicit id that some message has.
pub(crate) fn known_id_key(id: &EventId) -> Vec<u8> {
    [&[KNOWN_ID], id.as_str().as_bytes()].concat()
}

/// Returns the position at the end of a key.
pub(crate) fn position(key: &[u8]) -> Option<u64> {
    key.last_chunk().map(|bytes| u64::from_be_bytes(*bytes))
}

/// A message as one of its topics has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    pub has_explicit_id: bool,
    pub body: Body<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body<'a> {
    /// The bytes on the wire.
    Here(&'a [u8]),
    /// They have a record of their own: a message of several topics is stored once.
    Apart,
}

const HAS_EXPLICIT_ID: u8 = 1;
const IS_APART: u8 = 2;

impl<'a> Record<'a> {
    /// The number of bytes before the body.
    pub(crate) const FLAGS: usize = 1;

    pub(crate) fn to_value(self) -> Vec<u8> {
        let (flag, body) = match self.body {
            Body::Here(bytes) => (0, bytes),
            Body::Apart => (IS_APART, [].as_slice()),
        };
        let origin = if self.has_explicit_id {
            HAS_EXPLICIT_ID
        } else {
            0
        };
        [&[flag | origin], body].concat()
    }

    /// Reads a record; `None` if it is not one.
    pub(crate) fn read(value: &'a [u8]) -> Option<Self> {
        let (flags, body) = value.split_first()?;
        let body = match (flags & IS_APART, body) {
            (0, body) => Body::Here(body),
            (_, []) => Body::Apart,
            _ => return None,
        };
        let has_explicit_id = flags & HAS_EXPLICIT_ID != 0;
        Some(Self {
            has_explicit_id,
            body,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let commit = Commit {
            first: 3,
            last: u64::MAX,
            time: 1 << 50,
            bytes: 7,
        };
        assert_eq!(
            Commit::read(&Commit::key(commit.last), &commit.value()),
            Some(commit)
        );
        for body in [Body::Here(b"data: x\n\n"), Body::Here(b""), Body::Apart] {
            for has_explicit_id in [false, true] {
                let record = Record {
                    has_explicit_id,
                    body,
                };
                assert_eq!(Record::read(&record.to_value()), Some(record));
            }
        }
        assert_eq!(position(&message_key("topic", 42)), Some(42));
    }

    #[test]
    fn something_else_is_no_record() {
        assert_eq!(Commit::read(&[1; 9], &[0; 24]), None);
        assert_eq!(Commit::read(&[0; 8], &[0; 24]), None);
        assert_eq!(Commit::read(&[0; 9], &[0; 23]), None);
        assert_eq!(Record::read(b""), None);
        assert_eq!(Record::read(&[IS_APART, 0xff]), None);
    }

    #[test]
    fn keys_sort_by_topic_and_then_by_position() {
        let keys = [("a", 1), ("a", 256), ("b", 0), ("aa", 0)];
        let keys = keys.map(|(topic, position)| message_key(topic, position));
        assert!(keys.is_sorted());
    }
}
