//! One of many clients.

use std::{sync::Arc, time::Duration};

use sse_client::{Closed, Connecting, Event, EventSource, Update};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, timeout},
};

use super::tally::Tally;
use crate::{
    client::exit_of,
    exit::{Exit, Failure},
    ready::ready_now,
};

/// The time limit for the first answer: until then other clients wait for this one to open.
const OPENING: Duration = Duration::from_secs(30);

/// The most events that are counted at once.
const MOST_AT_ONCE: usize = 256;

/// Follows the stream for as long as it is polled. The permit is released at the first answer, or
/// when there is none in time.
pub(super) async fn follow(
    mut source: EventSource,
    tally: Arc<Tally>,
    permit: OwnedSemaphorePermit,
) {
    let mut client = Client {
        tally,
        began: Some(Instant::now()),
        permit: Some(permit),
        is_open: false,
        events: Vec::new(),
    };
    loop {
        let next = if client.permit.is_none() {
            source.next().await
        } else if let Ok(next) = timeout(OPENING, source.next()).await {
            next
        } else {
            client.permit = None;
            client.failed(Exit::Lost.because(format!("no answer for {} s", OPENING.as_secs())));
            continue;
        };
        let Some(update) = next else { return };
        client.take(update);
        while client.events.len() < MOST_AT_ONCE {
            let Some(update) = ready_now(&mut source).await else {
                break;
            };
            client.take(update);
        }
        client.count();
    }
}

struct Client {
    tally: Arc<Tally>,
    /// The time of the start, until the stream is open for the first time.
    began: Option<Instant>,
    /// Held until the stream has opened or failed to.
    permit: Option<OwnedSemaphorePermit>,
    is_open: bool,
    /// Events that arrived together.
    events: Vec<Event>,
}

impl Client {
    fn take(&mut self, update: Update) {
        match update {
            Update::Event(event) => self.events.push(event),
            Update::Open(_) => {
                self.is_open = true;
                self.tally
                    .opened(self.began.take().map(|began| began.elapsed()));
                self.permit = None;
            }
            Update::Connecting(Connecting {
                error: Some(error), ..
            }) => self.failed(exit_of(&error).because_of(&error)),
            Update::Closed(Closed::Failed(error) | Closed::GaveUp { error, .. }) => {
                self.failed(exit_of(&error).because_of(&error));
            }
            Update::Closed(closed) => self.failed(Exit::Refused.because_of(&closed)),
            _ => {}
        }
    }

    fn failed(&mut self, failure: Failure) {
        self.tally.failed(failure, self.is_open);
        self.is_open = false;
        self.permit = None;
    }

    fn count(&mut self) {
        if !self.events.is_empty() {
            self.tally.received(&self.events);
            self.events.clear();
        }
    }
}
