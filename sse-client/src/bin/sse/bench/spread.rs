//! The time that clients are behind the first that got the same event.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use tokio::time::Instant;

/// The number of events that are remembered. One that takes longer to reach everyone counts as new
/// for the last clients.
const RECENT: usize = 8_192;

/// The times at which recent events arrived first.
#[derive(Debug)]
pub(super) struct Spread {
    clients: u32,
    recent: HashMap<u64, Seen>,
    /// The keys of `recent`, oldest first.
    order: VecDeque<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    first: Instant,
    times: u32,
}

impl Spread {
    pub(super) fn new(clients: u32) -> Self {
        Self {
            clients,
            recent: HashMap::new(),
            order: VecDeque::new(),
        }
    }

    /// Returns how long after the first client another one gets an event.
    ///
    /// An event without an id may look like an earlier one: once every client has had it, it counts
    /// as a new one.
    pub(super) fn behind(&mut self, key: u64, now: Instant) -> Duration {
        if let Some(seen) = self.recent.get_mut(&key)
            && seen.times < self.clients
        {
            seen.times += 1;
            return now.saturating_duration_since(seen.first);
        }
        let first = Seen {
            first: now,
            times: 1,
        };
        if self.recent.insert(key, first).is_none() {
            self.order.push_back(key);
            if self.order.len() > RECENT
                && let Some(oldest) = self.order.pop_front()
            {
                self.recent.remove(&oldest);
            }
        }
        Duration::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_behind_nobody_and_a_repeated_event_is_another_one() {
        let mut spread = Spread::new(2);
        let now = Instant::now();
        let at = |millis| now + Duration::from_millis(millis);
        for (key, millis, expected) in [
            (1, 0, 0),
            (2, 1, 0),
            (1, 5, 5),
            (1, 1_000, 0),
            (1, 1_003, 3),
            (2, 1_004, 1_003),
        ] {
            let behind = spread.behind(key, at(millis));
            assert_eq!(behind, Duration::from_millis(expected), "{key} at {millis}");
        }
    }

    #[test]
    fn memory_is_bounded() {
        let mut spread = Spread::new(2);
        let now = Instant::now();
        for key in 0..3 * RECENT as u64 {
            assert_eq!(spread.behind(key, now), Duration::ZERO);
        }
        assert_eq!(spread.recent.len(), RECENT);
        assert_eq!(spread.order.len(), RECENT);
        assert_eq!(spread.behind(0, now + LONG), Duration::ZERO, "forgotten");
        let last = 3 * RECENT as u64 - 1;
        assert_eq!(spread.behind(last, now + LONG), LONG);
    }

    const LONG: Duration = Duration::from_secs(9);
}
