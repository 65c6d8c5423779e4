//! Events as an iterator.

use std::{
    io::{BufRead as _, BufReader, ErrorKind, Read},
    iter::FusedIterator,
};

use sse_wire::{Decoder, Item, Limits};

use super::{DONE, ReadError, until::Until};
use crate::Event;

/// The events of a blocking reader; see [`read`](super::read).
///
/// Ends with the reader, what is unfinished then is discarded as the standard says, or after the first error.
#[derive(Debug)]
pub struct BlockingEvents<R> {
    reader: BufReader<R>,
    decoder: Decoder,
    until: Until,
    ended: bool,
}

impl<R: Read> BlockingEvents<R> {
    pub(super) fn with_capacity(capacity: usize, reader: R) -> Self {
        Self {
            reader: BufReader::with_capacity(capacity, reader),
            decoder: Decoder::new(),
            until: Until::default(),
            ended: false,
        }
    }

    /// Sets how much is held before the stream is given up.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.decoder = self.decoder.limits(limits);
        self
    }

    /// Ends at `data: [DONE]`, as LLM servers end their answers; that event is not given. A body that ends without
    /// it is [`ReadError::Incomplete`].
    #[must_use]
    pub fn until_done(self) -> Self {
        self.until(DONE)
    }

    /// Ends at an event with exactly this data, which is not given. A body that ends without it is [`ReadError::Incomplete`].
    #[must_use]
    pub fn until(mut self, data: impl Into<String>) -> Self {
        self.until = Until::Certainly(data.into());
        self
    }

    /// The data of each event as JSON, up to `[DONE]` if there is one. Available with feature
    /// `json`.
    ///
    /// To tell a whole answer from one that was cut off, call [`until_done`](Self::until_done)
    /// before.
    #[cfg(feature = "json")]
    #[must_use]
    pub fn json<T>(mut self) -> super::Json<T, Self> {
        self.until = self.until.or_perhaps(DONE);
        super::Json::new(self)
    }

    /// What to resume from: the last event id so far, also of a block without data. Empty if there is none.
    pub fn last_event_id(&self) -> &str {
        self.decoder.last_event_id()
    }

    fn next_event(&mut self) -> Result<Option<Event>, ReadError> {
        loop {
            let chunk = match self.reader.fill_buf() {
                Ok([]) => return self.until.check_end().map(|()| None),
                Ok(chunk) => chunk,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(ReadError::body(error)),
            };
            let mut input = chunk;
            let event = match self.decoder.next(&mut input)? {
                Some(Item::Event(event)) => Some(Event::from(event)),
                _ => None,
            };
            let read = chunk.len() - input.len();
            self.reader.consume(read);
            if let Some(event) = event {
                let is_last = self.until.is(&event.data);
                return Ok((!is_last).then_some(event));
            }
        }
    }
}

impl<R: Read> Iterator for BlockingEvents<R> {
    type Item = Result<Event, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let event = self.next_event().transpose();
        self.ended = !matches!(event, Some(Ok(_)));
        event
    }
}

impl<R: Read> FusedIterator for BlockingEvents<R> {}
