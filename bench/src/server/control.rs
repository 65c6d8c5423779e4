//! Commands on stdin, one per line as JSON, and their answers on stdout: the publisher of a server.

use std::{
    io::BufRead as _,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use anyhow::Result;
use serde::{Deserialize, Serialize};
use tokio::{
    sync::mpsc,
    time::{self, MissedTickBehavior},
};

use super::{Fanout, say};
use crate::{clock, latencies::Latencies, payload};

/// What a server does when told.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) enum Command {
    /// Publish in a tight loop.
    Burst { count: u64, size: usize },
    /// Publish evenly, `rate` messages per second, until `count` are out.
    Pace { rate: u64, count: u64, size: usize },
    /// How many clients there are.
    Subscribers,
}

/// What a server answers; times are nanoseconds.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) enum Answer {
    /// The messages are out.
    Published(Published),
    /// How many clients there are.
    Subscribers(usize),
}

/// How a burst or a pace went.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Published {
    /// When the first was published.
    pub(crate) started: u64,
    /// Time of one call of publish: the 99th percentile.
    pub(crate) call_p99: u64,
    /// From when a message was due until it was out: the 99th percentile. 0 in a burst.
    pub(crate) late_p99: u64,
    /// The ids of the messages, where they have one.
    pub(crate) ids: Vec<String>,
}

/// The receiving end of the commands.
#[derive(Clone, Debug)]
pub(crate) struct Control(Arc<Mutex<Option<Commands>>>);

type Commands = mpsc::UnboundedReceiver<Command>;

impl Control {
    /// Listens to stdin on a thread of its own, which sleeps unless there is a command.
    pub(super) fn new() -> Self {
        let (sender, commands) = mpsc::unbounded_channel();
        thread::spawn(move || {
            for line in std::io::stdin().lock().lines() {
                let Ok(command) = line.map_err(drop).and_then(|line| parse(&line)) else {
                    break;
                };
                if sender.send(command).is_err() {
                    break;
                }
            }
            // The other half is gone; a graceful end would take as long as the peer likes.
            std::process::exit(0);
        });
        Self(Arc::new(Mutex::new(Some(commands))))
    }

    /// Obeys commands as a task of the runtime that serves the clients, as a handler would.
    ///
    /// The first call does it, later ones nothing: actix-web makes its app once for each worker.
    pub(crate) fn spawn(&self, fanout: impl Fanout) {
        let commands = self.0.lock().ok().and_then(|mut commands| commands.take());
        if let Some(commands) = commands {
            tokio::spawn(obey(commands, fanout));
        }
    }
}

async fn obey(mut commands: Commands, fanout: impl Fanout) {
    while let Some(command) = commands.recv().await {
        let answer = answer(command, &fanout).await;
        match answer.and_then(|answer| Ok(serde_json::to_string(&answer)?)) {
            Ok(line) => say(&line),
            Err(error) => eprintln!("cannot obey {command:?}: {error:#}"),
        }
    }
}

async fn answer(command: Command, fanout: &impl Fanout) -> Result<Answer> {
    Ok(match command {
        Command::Burst { count, size } => {
            Answer::Published(publish(fanout, None, count, size).await?)
        }
        Command::Pace { rate, count, size } => {
            Answer::Published(publish(fanout, Some(rate), count, size).await?)
        }
        Command::Subscribers => Answer::Subscribers(fanout.subscribers()),
    })
}

fn parse(line: &str) -> Result<Command, ()> {
    serde_json::from_str(line).map_err(|error| eprintln!("cannot read a command: {error}"))
}

/// Publishes `count` messages, in a tight loop or at `rate` per second.
async fn publish(
    fanout: &impl Fanout,
    rate: Option<u64>,
    count: u64,
    size: usize,
) -> Result<Published> {
    let mut calls = Latencies::new()?;
    let mut lateness = Latencies::new()?;
    let mut ids = Vec::new();
    let mut ticks = time::interval(rate.map_or(TICK, tick));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    ticks.tick().await;
    let started = clock::now();
    let mut published = 0;
    loop {
        let due = rate.map_or(count, |rate| due(rate, clock::now() - started).min(count));
        while published < due {
            let before = clock::now();
            ids.extend(fanout.publish(payload::data(before, size)).await);
            let after = clock::now();
            calls.record(after - before, 1);
            if let Some(rate) = rate {
                let due_at = started + published * 1_000_000_000 / rate;
                lateness.record(after.saturating_sub(due_at), 1);
            }
            published += 1;
        }
        if published == count {
            break;
        }
        ticks.tick().await;
    }
    Ok(Published {
        started,
        call_p99: calls.p99(),
        late_p99: lateness.p99(),
        ids,
    })
}

/// The shortest time between two ticks; tokio's clock has no finer one.
const TICK: Duration = Duration::from_millis(1);

fn tick(rate: u64) -> Duration {
    TICK.max(Duration::from_nanos(1_000_000_000 / rate))
}

/// How many messages are due after so many nanoseconds; the first one at once.
fn due(rate: u64, elapsed: u64) -> u64 {
    elapsed * rate / 1_000_000_000 + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_due_evenly_and_the_first_at_once() {
        assert_eq!(due(1_000, 0), 1);
        assert_eq!(due(1_000, 1_000_000), 2);
        assert_eq!(due(50, 999_999_999), 50);
    }

    #[test]
    fn a_tick_is_as_long_as_between_two_messages_but_at_least_a_millisecond() {
        assert_eq!(tick(50), Duration::from_millis(20));
        assert_eq!(tick(10_000), TICK);
    }
}
