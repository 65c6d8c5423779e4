//! The only way to wait here: for something, with a deadline.

use std::{ops::ControlFlow, time::Duration};

use anyhow::{Context as _, Result, bail};
use tokio::time::{Instant, sleep, timeout};

/// How long something may take that takes a moment: a start, an event, a browser's own reconnect after 3 s.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// Bounds one look: a browser that hangs fails the test and does not hold it up.
const ONE_LOOK: Duration = Duration::from_secs(10);

/// Looks again and again until `look` breaks with a value.
///
/// While it is not yet so, `look` continues with a description of how things are instead.
///
/// # Errors
/// If `look` fails, or has not broken off `within` the time given: then the error says `what` was waited for and how
/// things were last.
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
            ControlFlow::Continue(_) => sleep(Duration::from_millis(50)).await, // pace: of looking, nothing relies on it
        }
    }
}
