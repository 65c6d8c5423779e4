//! How long to wait before the next attempt, and when to give up.

use std::time::Duration;

use tokio::time::Instant;

/// How an [`EventSource`](crate::EventSource) connects again.
///
/// The wait before the nth attempt in a row is `initial * factor^(n-1)`, at most `ceiling`, plus a random part of
/// up to `jitter` times that. The server's `retry` field takes the place of `initial` for the rest of the stream's life;
/// a `Retry-After` is waited for, too. Neither is ever undercut: the standard lets a client wait longer, not shorter.
///
/// A connection that was healthy begins a new row: one that lasted for [`healthy_after`](Self::healthy_after), or
/// brought an event and was ended properly by the server. A mere 200 is not enough, so a server that accepts and fails at once is
/// waited for longer and longer.
///
/// The default: 3 s, twice that each time, up to a minute, jitter 0.5, for ever.
#[derive(Clone, Debug, PartialEq)]
pub struct Backoff {
    initial: Duration,
    factor: f64,
    jitter: f64,
    ceiling: Duration,
    floor: Duration,
    server_ceiling: Duration,
    healthy_after: Duration,
    max_retries: Option<u32>,
    max_elapsed: Option<Duration>,
}

impl Backoff {
    /// Never connects again: the stream ends with its first connection.
    #[must_use]
    pub fn never() -> Self {
        Self::default().max_retries(0)
    }

    /// The first wait, until the server sets one. 3 s by default, as in browsers.
    #[must_use]
    pub fn initial(mut self, wait: Duration) -> Self {
        self.initial = wait;
        self
    }

    /// By how much each wait is longer than the one before. 2 by default; less than 1 counts as 1.
    #[must_use]
    pub fn factor(mut self, factor: f64) -> Self {
        self.factor = factor;
        self
    }

    /// The random part, as a share of the wait that is added at most: clients that lost their server together do not come
    /// back together. 0.5 by default; 0 is none.
    #[must_use]
    pub fn jitter(mut self, jitter: f64) -> Self {
        self.jitter = jitter;
        self
    }

    /// How far waits grow, before the jitter. A minute by default; a longer wait that the server sets stays.
    #[must_use]
    pub fn ceiling(mut self, wait: Duration) -> Self {
        self.ceiling = wait;
        self
    }

    /// The least wait: a server's `retry: 0` does not make the client spin. 100 ms by default.
    #[must_use]
    pub fn floor(mut self, wait: Duration) -> Self {
        self.floor = wait;
        self
    }

    /// The longest wait that a server may ask for, by `retry` or `Retry-After`. An hour by default.
    #[must_use]
    pub fn server_ceiling(mut self, wait: Duration) -> Self {
        self.server_ceiling = wait;
        self
    }

    /// How long a connection has to last to count as healthy. 10 s by default.
    #[must_use]
    pub fn healthy_after(mut self, time: Duration) -> Self {
        self.healthy_after = time;
        self
    }

    /// Gives up after so many retries in a row. Unlimited by default.
    #[must_use]
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.max_retries = Some(retries);
        self
    }

    /// Gives up when the next attempt would begin later than this after the first failure in a row. Unlimited by default.
    #[must_use]
    pub fn max_elapsed(mut self, time: Duration) -> Self {
        self.max_elapsed = Some(time);
        self
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            initial: Duration::from_secs(3),
            factor: 2.0,
            jitter: 0.5,
            ceiling: Duration::from_secs(60),
            floor: Duration::from_millis(100),
            server_ceiling: Duration::from_secs(3_600),
            healthy_after: Duration::from_secs(10),
            max_retries: None,
            max_elapsed: None,
        }
    }
}

/// A [`Backoff`] in use.
#[derive(Debug)]
pub(super) struct Row {
    backoff: Backoff,
    /// What the server set by `retry`.
    server: Option<Duration>,
    failures: u32,
    since: Option<Instant>,
}

impl Row {
    pub(super) fn new(backoff: Backoff) -> Self {
        Self {
            backoff,
            server: None,
            failures: 0,
            since: None,
        }
    }

    /// The server has set its reconnection time.
    pub(super) fn set_retry(&mut self, retry: Duration) {
        self.server = Some(retry.min(self.backoff.server_ceiling));
    }

    /// A connection has ended: was it a healthy one?
    pub(super) fn connection_ended(&mut self, lasted: Duration, properly_with_events: bool) {
        if lasted >= self.backoff.healthy_after || properly_with_events {
            self.failures = 0;
            self.since = None;
        }
    }

    /// How many failures there were in a row.
    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    /// How long to wait for the next attempt, or `None` to give up. `random` lies in 0 to 1.
    pub(super) fn next(
        &mut self,
        retry_after: Option<Duration>,
        now: Instant,
        random: f64,
    ) -> Option<Duration> {
        let retries = self.failures;
        self.failures = self.failures.saturating_add(1);
        let since = *self.since.get_or_insert(now);
        let wait = self
            .wait(retries, random)
            .max(self.server_asks(retry_after));
        let backoff = &self.backoff;
        let too_many = backoff.max_retries.is_some_and(|max| retries >= max);
        let too_long = backoff
            .max_elapsed
            .is_some_and(|max| (now - since).saturating_add(wait) > max);
        (!too_many && !too_long).then_some(wait)
    }

    fn wait(&self, retries: u32, random: f64) -> Duration {
        let backoff = &self.backoff;
        let base = self.server.unwrap_or(backoff.initial).max(backoff.floor);
        let most = backoff.ceiling.max(base).as_secs_f64();
        let exponent = i32::try_from(retries).unwrap_or(i32::MAX);
        let grown = base.as_secs_f64() * backoff.factor.max(1.0).powi(exponent);
        // `min` also takes care of what is not a number.
        let grown = grown.min(most);
        let jittered = grown * (1.0 + backoff.jitter.max(0.0) * random);
        Duration::try_from_secs_f64(jittered).unwrap_or(backoff.ceiling)
    }

    fn server_asks(&self, retry_after: Option<Duration>) -> Duration {
        retry_after
            .unwrap_or_default()
            .min(self.backoff.server_ceiling)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn plain() -> Backoff {
        Backoff::default()
            .initial(millis(100))
            .floor(millis(10))
            .ceiling(millis(1_000))
            .jitter(0.0)
    }

    fn waits(row: &mut Row, count: usize) -> Vec<u128> {
        let now = Instant::now();
        (0..count)
            .map_while(|_| row.next(None, now, 0.5))
            .map(|wait| wait.as_millis())
            .collect()
    }

    #[test]
    fn waits_grow_by_the_factor_up_to_the_ceiling() {
        let mut row = Row::new(plain());
        assert_eq!(waits(&mut row, 6), [100, 200, 400, 800, 1_000, 1_000]);
        let mut constant = Row::new(plain().factor(1.0));
        assert_eq!(waits(&mut constant, 3), [100, 100, 100]);
    }

    #[test]
    fn jitter_only_adds() {
        let mut row = Row::new(plain().jitter(0.5));
        let now = Instant::now();
        assert_eq!(row.next(None, now, 0.0), Some(millis(100)));
        assert_eq!(row.next(None, now, 1.0), Some(millis(300)));
    }

    #[test]
    fn what_the_server_sets_stays_and_is_never_undercut() {
        let mut row = Row::new(plain());
        row.set_retry(millis(300));
        assert_eq!(waits(&mut row, 3), [300, 600, 1_000]);
        row.connection_ended(Duration::ZERO, true);
        assert_eq!(waits(&mut row, 1), [300]);
        row.connection_ended(Duration::ZERO, true);
        row.set_retry(millis(5_000));
        assert_eq!(waits(&mut row, 2), [5_000, 5_000], "above the ceiling");
    }

    #[test]
    fn retry_0_is_held_up_by_the_floor_and_grows() {
        let mut row = Row::new(plain());
        row.set_retry(Duration::ZERO);
        assert_eq!(waits(&mut row, 3), [10, 20, 40]);
    }

    #[test]
    fn a_server_cannot_ask_for_more_than_its_ceiling() {
        let mut row = Row::new(plain().server_ceiling(millis(7_000)));
        let wait = row.next(Some(Duration::MAX), Instant::now(), 0.0);
        assert_eq!(wait, Some(millis(7_000)));
        row.set_retry(Duration::MAX);
        assert_eq!(waits(&mut row, 1), [7_000]);
    }

    #[test]
    fn only_a_healthy_connection_begins_a_new_row() {
        let mut row = Row::new(plain().healthy_after(millis(500)));
        assert_eq!(waits(&mut row, 2), [100, 200]);
        row.connection_ended(millis(499), false);
        assert_eq!(waits(&mut row, 1), [400]);
        row.connection_ended(millis(500), false);
        assert_eq!(waits(&mut row, 1), [100]);
        row.connection_ended(Duration::ZERO, true);
        assert_eq!(waits(&mut row, 1), [100]);
    }

    #[test]
    fn gives_up_after_the_most_retries_or_the_most_time() {
        assert_eq!(waits(&mut Row::new(plain().max_retries(2)), 9), [100, 200]);
        assert_eq!(waits(&mut Row::new(Backoff::never()), 9), [0_u128; 0]);
        let mut row = Row::new(plain().max_elapsed(millis(350)));
        let start = Instant::now();
        assert_eq!(row.next(None, start, 0.0), Some(millis(100)));
        assert_eq!(row.next(None, start + millis(100), 0.0), Some(millis(200)));
        assert_eq!(row.next(None, start + millis(300), 0.0), None);
    }

    #[test]
    fn no_setting_panics() {
        for factor in [f64::NAN, f64::INFINITY, -1.0, 0.0, 1e300] {
            let mut row = Row::new(plain().factor(factor).jitter(factor).ceiling(Duration::MAX));
            for _ in 0..2_000 {
                assert!(row.next(Some(Duration::MAX), Instant::now(), 1.0).is_some());
            }
        }
    }
}
