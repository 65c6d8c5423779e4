//! Chunks in, items out: the decoder with the chunk that it is in.

use sse_wire::{DecodeError, Decoder, Item, Limits};

/// A decoder and what is left of the chunk that it reads.
#[derive(Debug)]
pub(crate) struct Feed<C> {
    decoder: Decoder,
    chunk: Option<C>,
    /// How much of the chunk has been read.
    read: usize,
}

impl<C: AsRef<[u8]>> Feed<C> {
    pub(crate) fn new(decoder: Decoder) -> Self {
        Self {
            decoder,
            chunk: None,
            read: 0,
        }
    }

    /// The next item, or `None` when another chunk is wanted.
    pub(crate) fn next(&mut self) -> Result<Option<Item<'_>>, DecodeError> {
        let Some(chunk) = &self.chunk else {
            return Ok(None);
        };
        let mut input = &chunk.as_ref()[self.read..];
        let item = self.decoder.next(&mut input);
        self.read = chunk.as_ref().len() - input.len();
        item
    }

    /// Another chunk, once [`next`](Self::next) has given `None`.
    pub(crate) fn fill(&mut self, chunk: C) {
        self.chunk = Some(chunk);
        self.read = 0;
    }

    pub(crate) fn last_event_id(&self) -> &str {
        self.decoder.last_event_id()
    }

    /// The same place with other limits; for use before the first chunk.
    pub(crate) fn limit(&mut self, limits: Limits) {
        self.decoder = std::mem::take(&mut self.decoder).limits(limits);
    }
}
