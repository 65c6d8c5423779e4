//! The output of a peer, completed with the state that a browser would add to it.

use std::fmt::Debug;
use std::time::Duration;

use crate::seen::Seen;

/// The output that all decoders claim to have. Comments are not part of it, nor the byte at which
/// an item is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    /// The events, and no other items.
    events: Vec<Seen>,
    /// The reconnection time after the stream, in milliseconds.
    retry: Option<u64>,
    /// The reason for which the decoder gave up, if it did.
    error: Option<String>,
}

/// The state that a browser keeps from one block to the next.
#[derive(Debug, Default)]
pub(super) struct Listener {
    last_event_id: String,
    heard: Heard,
}

/// A block as it is in the stream. A field that is missing is `None`.
#[derive(Debug)]
pub(super) struct Block<'a> {
    pub(super) id: Option<&'a str>,
    pub(super) event: Option<&'a str>,
    pub(super) data: Option<&'a str>,
    pub(super) retry: Option<Duration>,
}

impl Heard {
    /// Returns the part of our decoder's output that a peer can be expected to have.
    pub(super) fn new(items: Vec<(usize, Seen)>) -> Self {
        let mut heard = Self::default();
        for (_, seen) in items {
            match seen {
                Seen::Event { .. } => heard.events.push(seen),
                Seen::Retry(millis) => heard.retry = Some(millis),
                Seen::Comment(_) => {}
            }
        }
        heard
    }

    /// Returns an output that is only an error.
    pub(super) fn failed(error: &str) -> Self {
        Self {
            error: Some(error.to_owned()),
            ..Self::default()
        }
    }

    /// Returns the output that is left for a decoder that cannot tell empty data from none.
    pub(super) fn without_empty_data(mut self) -> Self {
        self.events
            .retain(|seen| !matches!(seen, Seen::Event { data, .. } if data.is_empty()));
        self
    }
}

impl Listener {
    /// Collects the output of a decoder, up to its first error.
    pub(super) fn listen<T, E: Debug>(
        results: impl Iterator<Item = Result<T, E>>,
        mut take: impl FnMut(&mut Self, T),
    ) -> Heard {
        let mut listener = Self::default();
        for result in results {
            match result {
                Ok(item) => take(&mut listener, item),
                Err(error) => {
                    listener.heard.error = Some(format!("{error:?}"));
                    break;
                }
            }
        }
        listener.heard
    }

    pub(super) fn event(&mut self, id: &str, event: &str, data: &str) {
        self.heard.events.push(Seen::Event {
            id: id.to_owned(),
            event: event.to_owned(),
            data: data.to_owned(),
        });
    }

    pub(super) fn retry(&mut self, time: Option<Duration>) {
        if let Some(time) = time {
            self.heard.retry = Some(time.as_millis().try_into().unwrap_or(u64::MAX));
        }
    }

    /// Ends a block as a browser does.
    pub(super) fn block(&mut self, block: &Block<'_>) {
        if let Some(id) = block.id {
            id.clone_into(&mut self.last_event_id);
        }
        self.retry(block.retry);
        if let Some(data) = block.data {
            let named = block.event.filter(|event| !event.is_empty());
            let id = self.last_event_id.clone();
            self.event(&id, named.unwrap_or("message"), data);
        }
    }
}
