//! What a peer makes of a stream, with what a browser would add to it.

use std::fmt::Debug;
use std::time::Duration;

use crate::seen::Seen;

/// What all decoders claim to give out. Comments are not among it, nor the place where something is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    /// Of all that is seen only events.
    events: Vec<Seen>,
    /// The reconnection time after the stream, in milliseconds.
    retry: Option<u64>,
    /// Why the decoder gave up, if it did.
    error: Option<String>,
}

/// Keeps from one block to the next what a browser keeps.
#[derive(Debug, Default)]
pub(super) struct Listener {
    last_event_id: String,
    heard: Heard,
}

/// A block as it stands in the stream: a field that is not there is `None`.
#[derive(Debug)]
pub(super) struct Block<'a> {
    pub(super) id: Option<&'a str>,
    pub(super) event: Option<&'a str>,
    pub(super) data: Option<&'a str>,
    pub(super) retry: Option<Duration>,
}

impl Heard {
    /// What a peer can be asked for of what ours gives.
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

    /// Nothing but an error.
    pub(super) fn failed(error: &str) -> Self {
        Self {
            error: Some(error.to_owned()),
            ..Self::default()
        }
    }

    /// What is left for a decoder that cannot tell empty data from none.
    pub(super) fn without_empty_data(mut self) -> Self {
        self.events
            .retain(|seen| !matches!(seen, Seen::Event { data, .. } if data.is_empty()));
        self
    }
}

impl Listener {
    /// Takes what a decoder gives out, up to its first error.
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

    /// Does with a block what a browser does at its end.
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
