//! A decoder together with the chunk that it reads.

use std::borrow::Cow;

use sse_wire::{DecodeError, Decoder, Item, Limits};

/// A decoder and the unread rest of its current chunk.
#[derive(Debug)]
pub(crate) struct ChunkDecoder<C> {
    decoder: Decoder,
    chunk: Option<C>,
    /// The number of bytes of the chunk that have been read.
    read: usize,
}

impl<C: AsRef<[u8]>> ChunkDecoder<C> {
    pub(crate) fn new(decoder: Decoder) -> Self {
        Self {
            decoder,
            chunk: None,
            read: 0,
        }
    }

    /// Returns the next item, or `None` when another chunk is needed.
    pub(crate) fn next(&mut self) -> Result<Option<Item<'_>>, DecodeError> {
        let Some(chunk) = &self.chunk else {
            return Ok(None);
        };
        let mut input = &chunk.as_ref()[self.read..];
        let item = self.decoder.next(&mut input);
        self.read = chunk.as_ref().len() - input.len();
        item
    }

    /// Sets the next chunk, once [`next`](Self::next) has returned `None`.
    pub(crate) fn fill(&mut self, chunk: C) {
        self.chunk = Some(chunk);
        self.read = 0;
    }

    /// Takes the chunk out, once [`next`](Self::next) has returned `None`: its memory can be used
    /// for another.
    pub(crate) fn take_chunk(&mut self) -> Option<C> {
        self.chunk.take()
    }

    /// Returns the lines since the last event that are no fields.
    pub(crate) fn ignored(&self) -> Cow<'_, str> {
        self.decoder.ignored()
    }

    /// Returns the data of the event that has begun.
    pub(crate) fn unfinished_data(&self) -> Option<Cow<'_, str>> {
        self.decoder.unfinished_data()
    }

    pub(crate) fn last_event_id(&self) -> &str {
        self.decoder.last_event_id()
    }

    /// Sets the limits, before the first chunk.
    pub(crate) fn set_limits(&mut self, limits: Limits) {
        self.decoder = std::mem::take(&mut self.decoder).limits(limits);
    }
}
