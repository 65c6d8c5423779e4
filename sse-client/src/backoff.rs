//! The waits before further attempts, and the limits at which to give up.

use std::time::Duration;

use tokio::time::Instant;

/// The waits of an [`EventSource`](crate::EventSource) between its attempts.
///
/// The wait before the nth attempt in a row is `initial * factor^(n-1)`, at most `max`, plus a
/// random part of up to `jitter` times that. The server's `retry` field replaces `initial` for the
/// rest of the stream's life, and a `Retry-After` is waited for, too. The client never waits for
/// less than the server asks for: the standard lets it wait longer, not shorter.
///
/// A healthy connection resets the waits and the count of failures: one that brought an event, or
/// anything else, such as a comment, [`healthy_after`](Self#structfield.healthy_after) it was
/// opened. Its end does not matter: many proxies cut every stream after a minute. A 200 alone is
/// not enough, however long it lasts, so the waits for a server that accepts and sends nothing grow
/// longer and longer.
///
/// The default: 3 s, doubled each time, up to a minute, jitter 0.5, without giving up.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Backoff {
    /// The first wait, which holds until the server sets one. 3 s by default, as in browsers.
    pub initial: Duration,
    /// The factor from each wait to the next. 2 by default; less than 1 counts as 1.
    pub factor: f64,
    /// The largest random addition, as a share of the wait: it keeps clients that lost their server
    /// together from coming back together. 0.5 by default; 0 is none.
    pub jitter: f64,
    /// The shortest wait: a server's `retry: 0` does not make the client spin. 100 ms by default.
    pub min: Duration,
    /// The longest wait, without the jitter. A minute by default. A longer one that the server asks
    /// for takes precedence.
    pub max: Duration,
    /// The longest wait that a server may ask for, by `retry` or `Retry-After`. An hour by default.
    pub server_max: Duration,
    /// The time after which a connection is healthy as soon as any byte comes, even of a comment;
    /// an event shows it at once. 10 s by default.
    pub healthy_after: Duration,
    /// The most retries in a row without a healthy connection before the client gives up. Unlimited
    /// by default.
    pub max_retries: Option<u32>,
    /// The longest time from the first failure in a row, or the end of a healthy connection, to the
    /// beginning of an attempt; the client gives up instead of making a later one. Unlimited by
    /// default.
    pub max_elapsed: Option<Duration>,
}

impl Backoff {
    /// Returns a backoff without retries: the stream ends with its first connection.
    #[must_use]
    pub fn never() -> Self {
        Self::default().max_retries(0)
    }

    /// Sets the [first wait](Self#structfield.initial).
    #[must_use]
    pub fn initial(mut self, wait: Duration) -> Self {
        self.initial = wait;
        self
    }

    /// Sets the [factor](Self#structfield.factor) from each wait to the next.
    #[must_use]
    pub fn factor(mut self, factor: f64) -> Self {
        self.factor = factor;
        self
    }

    /// Sets the [largest random addition](Self#structfield.jitter), as a share of the wait.
    #[must_use]
    pub fn jitter(mut self, jitter: f64) -> Self {
        self.jitter = jitter;
        self
    }

    /// Sets the [shortest wait](Self#structfield.min).
    #[must_use]
    pub fn min(mut self, wait: Duration) -> Self {
        self.min = wait;
        self
    }

    /// Sets the [longest wait](Self#structfield.max), without the jitter.
    #[must_use]
    pub fn max(mut self, wait: Duration) -> Self {
        self.max = wait;
        self
    }

    /// Sets the [longest wait that a server may ask for](Self#structfield.server_max).
    #[must_use]
    pub fn server_max(mut self, wait: Duration) -> Self {
        self.server_max = wait;
        self
    }

    /// Sets the [time](Self#structfield.healthy_after) after which any byte shows that a connection
    /// is healthy.
    #[must_use]
    pub fn healthy_after(mut self, time: Duration) -> Self {
        self.healthy_after = time;
        self
    }

    /// Gives up after [this many retries](Self#structfield.max_retries) in a row.
    #[must_use]
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.max_retries = Some(retries);
        self
    }

    /// Gives up when the next attempt would begin [later than
    /// this](Self#structfield.max_elapsed) after the first failure in a row.
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
            min: Duration::from_millis(100),
            max: Duration::from_secs(60),
            server_max: Duration::from_secs(3_600),
            healthy_after: Duration::from_secs(10),
            max_retries: None,
            max_elapsed: None,
        }
    }
}

/// The state of a [`Backoff`]: the failures in a row, and the wait that the server has set.
#[derive(Debug)]
pub(crate) struct RetryState {
    backoff: Backoff,
    /// The value of the server's `retry` field.
    server_wait: Option<Duration>,
    /// The retries since the last healthy connection.
    retries: u32,
    /// The attempts that failed since then, the first one included.
    failures: u32,
    /// The time of the first of both.
    since: Option<Instant>,
}

impl RetryState {
    pub(crate) fn new(backoff: Backoff) -> Self {
        Self {
            backoff,
            server_wait: None,
            retries: 0,
            failures: 0,
            since: None,
        }
    }

    /// Sets the wait that the server asks for by its `retry` field.
    pub(crate) fn set_server_wait(&mut self, wait: Duration) {
        self.server_wait = Some(wait.min(self.backoff.server_max));
    }

    /// Returns `true` if a connection on which something came this long after it was opened has
    /// shown that it is healthy.
    pub(crate) fn is_healthy_after(&self, time: Duration) -> bool {
        time >= self.backoff.healthy_after
    }

    /// Counts an attempt or a connection that has ended: a healthy one ends the row of failures.
    pub(crate) fn ended(&mut self, was_healthy: bool) {
        if was_healthy {
            self.retries = 0;
            self.failures = 0;
            self.since = None;
        } else {
            self.failures = self.failures.saturating_add(1);
        }
    }

    /// Returns the number of failures in a row.
    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    /// Counts a retry, and returns how long to wait for it, or `None` to give up. `random` lies in
    /// 0 to 1.
    pub(crate) fn next_wait(
        &mut self,
        retry_after: Option<Duration>,
        now: Instant,
        random: f64,
    ) -> Option<Duration> {
        let retries = self.retries;
        self.retries = retries.saturating_add(1);
        let since = *self.since.get_or_insert(now);
        let backoff = &self.backoff;
        let retry_after = retry_after.unwrap_or_default().min(backoff.server_max);
        let wait = self.growing_wait(retries, random).max(retry_after);
        let too_many = backoff.max_retries.is_some_and(|max| retries >= max);
        let too_long = backoff
            .max_elapsed
            .is_some_and(|max| (now - since).saturating_add(wait) > max);
        (!too_many && !too_long).then_some(wait)
    }

    fn growing_wait(&self, retries: u32, random: f64) -> Duration {
        let backoff = &self.backoff;
        let base = self.server_wait.unwrap_or(backoff.initial).max(backoff.min);
        let max = backoff.max.max(base).as_secs_f64();
        let exponent = i32::try_from(retries).unwrap_or(i32::MAX);
        let grown = base.as_secs_f64() * backoff.factor.max(1.0).powi(exponent);
        // If the product is not a number, `min` returns the other operand.
        let grown = grown.min(max);
        let jittered = grown * (1.0 + backoff.jitter.max(0.0) * random);
        Duration::try_from_secs_f64(jittered).unwrap_or(backoff.max)
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
            .min(millis(10))
            .max(millis(1_000))
            .jitter(0.0)
    }

    fn waits(state: &mut RetryState, count: usize) -> Vec<u128> {
        let now = Instant::now();
        (0..count)
            .map_while(|_| state.next_wait(None, now, 0.5))
            .map(|wait| wait.as_millis())
            .collect()
    }

    #[test]
    fn waits_grow_by_the_factor_up_to_the_maximum() {
        let mut state = RetryState::new(plain());
        assert_eq!(waits(&mut state, 6), [100, 200, 400, 800, 1_000, 1_000]);
        let mut constant = RetryState::new(plain().factor(1.0));
        assert_eq!(waits(&mut constant, 3), [100, 100, 100]);
    }

    #[test]
    fn jitter_only_adds() {
        let mut state = RetryState::new(plain().jitter(0.5));
        let now = Instant::now();
        assert_eq!(state.next_wait(None, now, 0.0), Some(millis(100)));
        assert_eq!(state.next_wait(None, now, 1.0), Some(millis(300)));
    }

    #[test]
    fn the_wait_that_the_server_sets_stays_and_is_never_shortened() {
        let mut state = RetryState::new(plain());
        state.set_server_wait(millis(300));
        assert_eq!(waits(&mut state, 3), [300, 600, 1_000]);
        state.ended(true);
        assert_eq!(waits(&mut state, 1), [300]);
        state.ended(true);
        state.set_server_wait(millis(5_000));
        assert_eq!(waits(&mut state, 2), [5_000, 5_000], "above the maximum");
    }

    #[test]
    fn retry_0_is_raised_to_the_minimum_and_grows() {
        let mut state = RetryState::new(plain());
        state.set_server_wait(Duration::ZERO);
        assert_eq!(waits(&mut state, 3), [10, 20, 40]);
    }

    #[test]
    fn a_server_cannot_ask_for_more_than_its_maximum() {
        let mut state = RetryState::new(plain().server_max(millis(7_000)));
        let wait = state.next_wait(Some(Duration::MAX), Instant::now(), 0.0);
        assert_eq!(wait, Some(millis(7_000)));
        state.set_server_wait(Duration::MAX);
        assert_eq!(waits(&mut state, 1), [7_000]);
    }

    #[test]
    fn only_a_healthy_connection_ends_a_row_of_failures() {
        let mut state = RetryState::new(plain().healthy_after(millis(500)));
        assert!(!state.is_healthy_after(millis(499)));
        assert!(state.is_healthy_after(millis(500)));
        assert_eq!(waits(&mut state, 2), [100, 200]);
        state.ended(false);
        assert_eq!(state.failures(), 1);
        assert_eq!(waits(&mut state, 1), [400]);
        state.ended(true);
        assert_eq!(state.failures(), 0);
        assert_eq!(waits(&mut state, 1), [100]);
    }

    #[test]
    fn it_gives_up_after_the_most_retries_or_the_most_time() {
        assert_eq!(
            waits(&mut RetryState::new(plain().max_retries(2)), 9),
            [100, 200]
        );
        assert_eq!(
            waits(&mut RetryState::new(Backoff::never()), 9),
            [0_u128; 0]
        );
        let mut state = RetryState::new(plain().max_elapsed(millis(350)));
        let start = Instant::now();
        assert_eq!(state.next_wait(None, start, 0.0), Some(millis(100)));
        assert_eq!(
            state.next_wait(None, start + millis(100), 0.0),
            Some(millis(200))
        );
        assert_eq!(state.next_wait(None, start + millis(300), 0.0), None);
    }

    #[test]
    fn no_setting_panics() {
        for factor in [f64::NAN, f64::INFINITY, -1.0, 0.0, 1e300] {
            let mut state =
                RetryState::new(plain().factor(factor).jitter(factor).max(Duration::MAX));
            for _ in 0..2_000 {
                assert!(
                    state
                        .next_wait(Some(Duration::MAX), Instant::now(), 1.0)
                        .is_some()
                );
            }
        }
    }
}
