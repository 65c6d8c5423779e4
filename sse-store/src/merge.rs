//! One page of the messages of several topics.

use bytes::{BufMut, Bytes, BytesMut};
use sse_core::{
    Topics,
    replay::{Cursor, Page, Position},
};

use crate::{
    record::{Body, Record},
    segment::{Found, Segment, SegmentError},
};

/// A page that is being filled.
pub(crate) struct Pager {
    bytes: BytesMut,
    next: u64,
    is_full: bool,
}

impl Pager {
    pub(crate) fn new(after: u64) -> Self {
        Self {
            bytes: BytesMut::new(),
            next: after,
            is_full: false,
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.is_full
    }

    /// Takes what a segment has of these topics up to a position, as far as it fits.
    pub(crate) fn take(
        &mut self,
        segment: &Segment,
        topics: &Topics,
        until: u64,
    ) -> Result<(), SegmentError> {
        let until = until.min(segment.last());
        let mut found = Vec::new();
        let mut is_cut = false;
        for topic in topics.iter() {
            let mut bytes = self.bytes.len();
            for message in segment.messages_of(topic, self.next, until) {
                let message = message?;
                // One more than fits: so the cut comes before whatever is left out here.
                bytes += message.1.len();
                found.push(message);
                if bytes > Page::BYTES + found.len() {
                    is_cut = true;
                    break;
                }
            }
        }
        if topics.len() > 1 {
            found.sort_unstable_by_key(|(position, _)| *position);
            found.dedup_by_key(|(position, _)| *position);
        }
        found.iter().try_for_each(|message| self.push(message))?;
        self.is_full |= is_cut;
        if !self.is_full {
            self.next = self.next.max(until);
        }
        Ok(())
    }

    fn push(&mut self, (position, value): &Found) -> Result<(), SegmentError> {
        let damaged = SegmentError::Damaged(*position);
        let Some(Record {
            body: Body::Here(bytes),
            ..
        }) = Record::read(value)
        else {
            return Err(damaged);
        };
        let fits = self.bytes.is_empty() || self.bytes.len() + bytes.len() <= Page::BYTES;
        if self.is_full || !fits {
            self.is_full = true;
            return Ok(());
        }
        self.bytes.put_slice(bytes);
        self.next = *position;
        Ok(())
    }

    /// The page of a reader at this cursor, while everything up to the floor is missing.
    pub(crate) fn page(self, from: Cursor, floor: Position) -> Page {
        Page {
            bytes: Bytes::from(self.bytes),
            next: from.advance(Position(self.next), floor),
        }
    }
}
