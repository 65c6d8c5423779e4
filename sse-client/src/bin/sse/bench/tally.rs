//! The counts of all clients.

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

/// The start of a latency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    /// The publish, whose time is in the data.
    FromPublish,
    /// The arrival at the first client that got the same event.
    Spread,
}

/// The counts of all clients. Events before [`begin`](Self::begin) do not count.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) clients: u32,
    pub(super) measure: Measure,
    /// The zero of the times in data, which are microseconds.
    epoch: Instant,
    hasher: RandomState,
    state: Mutex<State>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) counts: Counts,
    pub(super) phase: Phase,
    pub(super) last_event: Instant,
    /// The most recent failure, which is the one to report.
    pub(super) last_failure: Option<Failure>,
    pub(super) opening: Histogram<u64>,
    /// Latencies since the last call of [`look_back`](Self::look_back).
    pub(super) recent: Histogram<u64>,
    /// The latencies before.
    past: Histogram<u64>,
    spread: Spread,
}

/// The counters.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    /// The clients that are connected now.
    pub(super) open: u32,
    /// The clients that have been connected at least once.
    pub(super) opened: u32,
    /// The clients that had been connected before the measurement began.
    pub(super) measured: u32,
    pub(super) events: u64,
    pub(super) bytes: u64,
    pub(super) errors: u64,
    pub(super) reconnects: u64,
    pub(super) published: u64,
    pub(super) publish_errors: u64,
}

/// The phases of a run.
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

/// For the clients.
impl Tally {
    /// Counts a client that is connected: for the first time, after the given time, or again.
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

    /// Counts a client that has failed to connect, or lost its connection.
    pub(super) fn failed(&self, failure: Failure, was_open: bool) {
        let mut state = self.lock();
        state.counts.errors += 1;
        state.counts.open -= u32::from(was_open);
        state.last_failure = Some(failure);
    }

    /// Counts events that a client has just received.
    pub(super) fn received(&self, events: &[Event]) {
        let now = Instant::now();
        let marks: Vec<_> = events.iter().map(|event| self.mark(event)).collect();
        let mut state = self.lock();
        let counts = match (state.phase, self.measure) {
            (Phase::Opening { .. }, _) | (Phase::Ended { .. }, Measure::Spread) => false,
            // Events that were published have to arrive, even after the end.
            _ => true,
        };
        if !counts {
            return;
        }
        for (event, mark) in events.iter().zip(marks) {
            // Another publisher's event.
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

    /// Returns the time at which an event was published, or a hash that identifies it.
    fn mark(&self, event: &Event) -> Option<u64> {
        match self.measure {
            Measure::FromPublish => event.data.parse().ok(),
            // The id alone does not: later events without an id have it, too.
            Measure::Spread => {
                let key = (&event.id, &event.event, &event.data);
                Some(self.hasher.hash_one(key))
            }
        }
    }
}

/// For the publisher.
impl Tally {
    /// Returns data that says when it was published: now.
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

/// For the run as a whole.
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

    /// Begins the measurement with the clients that have opened, and returns their number. Some of
    /// them may be connecting again at this moment.
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

    /// Ends the measurement, except for events that have been published.
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
    /// Returns the number of events that have been published, but have not arrived.
    pub(super) fn missing(&self) -> u64 {
        (self.published * u64::from(self.measured)).saturating_sub(self.events)
    }
}

impl State {
    /// Adds the recent latencies to the past ones and returns all of them.
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
    fn a_client_that_is_connecting_again_misses_events_and_one_that_never_opened_does_not() {
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
