//! The only way to wait in these tests: for a condition, with a deadline.

use std::{ops::ControlFlow, time::Duration};

use anyhow::{Context as _, Result, bail};
use tokio::time::{Instant, sleep, timeout};

/// The time that a short wait may take: a start, an event, a browser's own reconnect after 3 s.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// The time that one look may take, so that a browser that hangs fails the test and does not hold
/// it up.
const ONE_LOOK: Duration = Duration::from_secs(10);

/// Looks again and again until `look` breaks with a value.
///
/// Until then `look` continues with a description of the current state.
///
/// # Errors
/// If `look` fails, or has not broken off `within` the time given. Then the error has `what` was
/// waited for, and the last state.
pub async fn eventually<T>(
    what: &str,
    within: Duration,
    mut look: impl AsyncFnMut() -> Result<ControlFlow<T, String>>,
) -> Result<T> {
    let deadline = Instant::now() + within;
    loop {
        let seen = timeout(ONE_LOOK, look()).await;
        match seen.with_context(|| format!("no answer within {ONE_LOOK:?} on whether {what}"))?? {
            ControlFlow::Break(value) => return Ok(value),
            ControlFlow::Continue(now) if Instant::now() >= deadline => {
                bail!("{what}: not so within {within:?}. Instead: {now}")
            }
            // pace: of looking, nothing relies on it
            ControlFlow::Continue(_) => sleep(Duration::from_millis(50)).await,
        }
    }
}
