//! The live lines of `sse bench`.

use std::{
    io::{self, IsTerminal as _, Write as _},
    sync::Arc,
    time::Duration,
};

use tokio::{
    task::JoinHandle,
    time::{Instant, interval_at},
};

use super::{
    percentiles::Percentiles,
    report::{grouped, per_second, time},
    tally::{Counts, Phase, Tally},
};
use crate::notes::note;

const EVERY: Duration = Duration::from_millis(500);

/// Moves the cursor to the beginning of the line and deletes the line.
const CLEAR: &str = "\r\x1b[K";

/// A line on stderr twice a second: on a terminal it replaces the one before, elsewhere it follows.
pub(super) struct Live(Option<JoinHandle<()>>);

impl Live {
    pub(super) fn start(tally: &Arc<Tally>, quiet: bool) -> Self {
        let show = show(Arc::clone(tally));
        Self((!quiet).then(|| tokio::spawn(show)))
    }

    pub(super) async fn stop(self) {
        let Some(task) = self.0 else { return };
        task.abort();
        let _ = task.await;
        if io::stderr().is_terminal() {
            let _ = write!(io::stderr(), "{CLEAR}");
        }
    }
}

async fn show(tally: Arc<Tally>) {
    let is_terminal = io::stderr().is_terminal();
    let mut then = (Instant::now(), Counts::default());
    let mut ticks = interval_at(then.0 + EVERY, EVERY);
    loop {
        ticks.tick().await;
        let now = Instant::now();
        let (line, counts) = line(&tally, now - then.0, then.1);
        then = (now, counts);
        if is_terminal {
            let _ = write!(io::stderr(), "{CLEAR}{line}");
        } else {
            note(line);
        }
    }
}

fn line(tally: &Tally, passed: Duration, before: Counts) -> (String, Counts) {
    let mut state = tally.lock();
    let counts = state.counts;
    let open = grouped(counts.open.into());
    // Counts of 0 are left out: a line that is longer than the terminal cannot be replaced.
    let errors = some(counts.errors + counts.publish_errors, "errors");
    let reconnects = some(counts.reconnects, "reconnects");
    if let Phase::Opening { .. } = state.phase {
        let clients = grouped(tally.clients.into());
        return (format!("{open} of {clients} open{errors}"), counts);
    }
    let latency = Percentiles::of(&state.recent);
    state.look_back();
    drop(state);
    let latency = latency.map_or(String::new(), |of| {
        format!(", p50 {}, p99 {}", time(of.p50), time(of.p99))
    });
    let rate = per_second(
        counts.events - before.events,
        counts.bytes - before.bytes,
        passed,
    );
    let line = format!("{open} open, {rate}{latency}{errors}{reconnects}");
    (line, counts)
}

fn some(count: u64, name: &str) -> String {
    match count {
        0 => String::new(),
        1.. => format!(", {} {name}", grouped(count)),
    }
}
