//! What all clients have seen.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use hdrhistogram::Histogram;
use sse_client::Event;
use tokio::time::Instant;

use super::{percentiles, spread::Spread};
use crate::exit::Failure;

/// What a latency is the time from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    /// From the publish, whose time stands in the data.
    FromPublish,
    /// From the first client that got the same event.
    Spread,
}

/// What all clients have seen. Events before [`begin`](Self::begin) do not count.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) clients: u32,
    pub(super) measure: Measure,
    /// Times in data are microseconds since then.
    epoch: Instant,
    hasher: RandomState,
    state: Mutex<State>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) counts: Counts,
    pub(super) phase: Phase,
    pub(super) last_event: Instant,
    /// In the order in which they came, so the last is the one to tell.
    pub(super) last_failure: Option<Failure>,
    pub(super) opening: Histogram<u64>,
    /// Since the last look.
    pub(super) recent: Histogram<u64>,
    /// Before that.
    past: Histogram<u64>,
    spread: Spread,
}

/// What can be counted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    /// Now.
    pub(super) open: u32,
    /// At least once.
    pub(super) opened: u32,
    /// At least once before the measurement began.
    pub(super) measured: u32,
    pub(super) events: u64,
    pub(super) bytes: u64,
    pub(super) errors: u64,
    pub(super) reconnects: u64,
    pub(super) published: u64,
    pub(super) publish_errors: u64,
}

/// How far it is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Phase {
    Opening {
        since: Instant,
    },
    Measuring {
        opening: Duration,
        since: Instant,
    },
    Ended {
        opening: Duration,
        since: Instant,
        end: Instant,
    },
}

/// What the clients tell.
impl Tally {
    /// A client is connected: for the first time after so long, or again.
    pub(super) fn opened(&self, after: Option<Duration>) {
        let mut state = self.lock();
        state.counts.open += 1;
        if let Some(after) = after {
            state.counts.opened += 1;
            state.opening.saturating_record(micros(after));
        } else {
            state.counts.reconnects += 1;
        }
    }

    /// A client has failed to connect, or lost its connection.
    pub(super) fn failed(&self, failure: Failure, was_open: bool) {
        let mut state = self.lock();
        state.counts.errors += 1;
        state.counts.open -= u32::from(was_open);
        state.last_failure = Some(failure);
    }

    /// A client has received events, just now.
    pub(super) fn received(&self, events: &[Event]) {
        let now = Instant::now();
        let marks: Vec<_> = events.iter().map(|event| self.mark(event)).collect();
        let mut state = self.lock();
        let counts = match (state.phase, self.measure) {
            (Phase::Opening { .. }, _) | (Phase::Ended { .. }, Measure::Spread) => false,
            // What was published has to arrive, also after the end.
            _ => true,
        };
        if !counts {
            return;
        }
        for (event, mark) in events.iter().zip(marks) {
            // Nothing of ours.
            let Some(mark) = mark else { continue };
            let latency = match self.measure {
                Measure::FromPublish => micros(now - self.epoch).saturating_sub(mark),
                Measure::Spread => micros(state.spread.behind(mark, now)),
            };
            state.recent.saturating_record(latency);
            state.counts.events += 1;
            state.counts.bytes += event.data.len() as u64;
            state.last_event = now;
        }
    }

    /// What an event is known by: when it was published, or which it is.
    fn mark(&self, event: &Event) -> Option<u64> {
        match self.measure {
            Measure::FromPublish => event.data.parse().ok(),
            // An id holds for later events without one, too.
            Measure::Spread => {
                let key = (&event.id, &event.event, &event.data);
                Some(self.hasher.hash_one(key))
            }
        }
    }
}

/// What the publisher tells.
impl Tally {
    /// Data that says when it was published: now.
    pub(super) fn stamp(&self) -> String {
        micros(self.epoch.elapsed()).to_string()
    }

    pub(super) fn published(&self, result: Result<(), Failure>) {
        let mut state = self.lock();
        match result {
            Ok(()) => state.counts.published += 1,
            Err(failure) => {
                state.counts.publish_errors += 1;
                state.last_failure = Some(failure);
            }
        }
    }
}

/// What holds it all together.
impl Tally {
    pub(super) fn new(clients: u32, measure: Measure) -> Self {
        let now = Instant::now();
        Self {
            clients,
            measure,
            epoch: now,
            hasher: RandomState::new(),
            state: Mutex::new(State {
                counts: Counts::default(),
                phase: Phase::Opening { since: now },
                last_event: now,
                last_failure: None,
                opening: percentiles::histogram(),
                recent: percentiles::histogram(),
                past: percentiles::histogram(),
                spread: Spread::new(clients),
            }),
        }
    }

    /// The measurement begins, with those that have opened; returns how many. Some may just be connecting again.
    pub(super) fn begin(&self) -> u32 {
        let mut state = self.lock();
        let now = Instant::now();
        if let Phase::Opening { since } = state.phase {
            let opening = now - since;
            state.phase = Phase::Measuring {
                opening,
                since: now,
            };
        }
        state.counts.measured = state.counts.opened;
        state.spread = Spread::new(state.counts.opened);
        state.counts.opened
    }

    /// The measurement ends, but for what has been published.
    pub(super) fn end(&self) {
        let mut state = self.lock();
        if let Phase::Measuring { opening, since } = state.phase {
            state.phase = Phase::Ended {
                opening,
                since,
                end: Instant::now(),
            };
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    /// How many events have been published, but have not come.
    pub(super) fn missing(&self) -> u64 {
        (self.published * u64::from(self.measured)).saturating_sub(self.events)
    }
}

impl State {
    /// Puts what is recent to the past, which it returns.
    pub(super) fn look_back(&mut self) -> &Histogram<u64> {
        self.past += &self.recent;
        self.recent.reset();
        &self.past
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    #[test]
    fn what_is_published_is_missed_by_who_is_just_connecting_again_but_not_by_who_never_was() {
        let tally = Tally::new(3, Measure::FromPublish);
        for _ in 0..2 {
            tally.opened(Some(Duration::ZERO));
        }
        tally.failed(Exit::Lost.because("lost"), true);
        tally.failed(Exit::Lost.because("never was"), false);
        assert_eq!(tally.begin(), 2);
        let event = Event {
            data: tally.stamp(),
            ..Event::default()
        };
        tally.published(Ok(()));
        tally.received(std::slice::from_ref(&event));
        assert_eq!(tally.lock().counts.missing(), 1);
        tally.end();
        tally.opened(None);
        tally.received(&[event]);
        let counts = tally.lock().counts;
        assert_eq!(
            [counts.missing(), counts.events, counts.reconnects],
            [0, 2, 1]
        );
    }
}
