//! The hidden half of the program: one server process, which serves one peer on one core.
//!
//! It gets its commands on stdin, one per line as JSON, and answers on stdout. The peers are in
//! [`peers`](crate::peers).

use std::{
    fmt::Display,
    io::{self, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::PathBuf,
    process::exit,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use anyhow::Result;
use serde::{Deserialize, Serialize};
use serde_json::Deserializer;
use socket2::{Domain, Socket, Type};
use tokio::{
    runtime,
    signal::unix::{SignalKind, signal},
    sync::mpsc::{self, UnboundedReceiver},
    time::{self, MissedTickBehavior},
};

use crate::{clock, machine, payload};

/// Connections that may wait to be accepted: the number that tokio takes, and with it Rocket, which
/// has no setting for it.
const BACKLOG: i32 = 128;

/// The settings of a server process.
#[derive(clap::Args)]
pub(crate) struct Settings {
    /// The core to run on
    #[arg(long)]
    core: usize,
    /// Messages and bytes that a reader of Joe's may be behind, instead of the defaults
    #[arg(long, num_args = 2, value_names = ["MESSAGES", "BYTES"])]
    pub(crate) queue: Option<Vec<usize>>,
    /// Messages that Joe keeps for replay; none without it
    #[arg(long)]
    pub(crate) history: Option<usize>,
    /// An empty directory to keep them in, instead of in memory
    #[arg(long, value_name = "DIRECTORY", requires = "history")]
    pub(crate) store: Option<PathBuf>,
}

/// The entrance for messages to all clients of a peer.
pub(crate) trait Fanout: Clone + Send + Sync + 'static {
    /// Publishes to every client and returns the id of the message if it has one.
    ///
    /// Waits for clients only in a peer that makes publishers wait.
    fn publish(&self, data: String) -> impl Future<Output = Option<String>> + Send;

    /// Counts the present clients.
    fn subscribers(&self) -> usize;
}

/// A command to a server.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) enum Command {
    /// Publish `count` messages, evenly with `rate` per second, or in a tight loop without it.
    Publish { rate: Option<u64>, count: u64 },
    /// Tell the number of clients.
    Subscribers,
}

/// The account of a publishing; times are nanoseconds.
#[derive(Deserialize, Serialize)]
pub(crate) struct Published {
    /// The time at which the first was published.
    pub(crate) started: u64,
    /// The duration of a call of publish: the 99th percentile.
    pub(crate) call_p99: u64,
    /// The time from when a message was due until it was out: the 99th percentile. 0 in a tight
    /// loop.
    pub(crate) late_p99: u64,
    /// The ids of the messages, where they have one.
    pub(crate) ids: Vec<String>,
}

/// The receiving end of the commands.
#[derive(Clone)]
pub(crate) struct Control(Arc<Mutex<Option<UnboundedReceiver<Command>>>>);

impl Control {
    /// Pins this process to its core and reads stdin on a separate thread, which sleeps unless
    /// there is a command. No other thread may have been started before.
    pub(crate) fn new(settings: &Settings) -> Result<Self> {
        machine::pin(&[settings.core])?;
        rlimit::increase_nofile_limit(u64::MAX)?;
        let (sender, commands) = mpsc::unbounded_channel();
        thread::spawn(move || {
            for command in Deserializer::from_reader(io::stdin()).into_iter() {
                match command {
                    Ok(command) if sender.send(command).is_ok() => {}
                    Ok(_) => break,
                    Err(error) => {
                        eprintln!("cannot read a command: {error}");
                        break;
                    }
                }
            }
            // The other half is gone; a graceful end would take as long as the peer likes.
            exit(0);
        });
        Ok(Self(Arc::new(Mutex::new(Some(commands)))))
    }

    /// Obeys commands in a task of the runtime that serves the clients, as a handler would.
    ///
    /// Only the first call does: actix-web makes its app once for each worker.
    pub(crate) fn spawn<F: Fanout>(&self, fanout: F) -> F {
        let commands = self.0.lock().ok().and_then(|mut commands| commands.take());
        if let Some(commands) = commands {
            tokio::spawn(obey(commands, fanout.clone()));
        }
        fanout
    }
}

/// Runs the future on a tokio runtime that has this thread alone.
pub(crate) fn block_on(future: impl Future<Output = Result<()>>) -> Result<()> {
    let mut builder = runtime::Builder::new_current_thread();
    builder.enable_all().build()?.block_on(future)
}

/// Listens on a free port and announces the address.
pub(crate) fn listen() -> Result<TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    // Connections inherit it, so that it is the same for all; Rocket, which listens itself, sets
    // it.
    socket.set_tcp_nodelay(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    socket.listen(BACKLOG)?;
    let listener = TcpListener::from(socket);
    say(&listener.local_addr()?);
    Ok(listener)
}

/// Listens as [`listen`] does, for tokio.
pub(crate) fn listen_tokio() -> Result<tokio::net::TcpListener> {
    Ok(tokio::net::TcpListener::from_std(listen()?)?)
}

/// Becomes ready at SIGTERM.
pub(crate) async fn stop_signal() {
    // Without a handler the signal ends the process, which is shown as a connection cut off.
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => drop(terminate.recv().await),
        Err(_) => std::future::pending().await,
    }
}

/// Writes a line to the measuring half; if that has gone, there is nothing left to do.
pub(crate) fn say(line: &impl Display) {
    let mut stdout = io::stdout().lock();
    let written = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
    if written.is_err() {
        exit(0);
    }
}

async fn obey(mut commands: UnboundedReceiver<Command>, fanout: impl Fanout) {
    while let Some(command) = commands.recv().await {
        let answer = match command {
            Command::Publish { rate, count } => json(publish(&fanout, rate, count).await),
            Command::Subscribers => json(Ok(fanout.subscribers())),
        };
        match answer {
            Ok(line) => say(&line),
            Err(error) => eprintln!("cannot obey {command:?}: {error:#}"),
        }
    }
}

fn json(answer: Result<impl Serialize>) -> Result<String> {
    Ok(serde_json::to_string(&answer?)?)
}

async fn publish(fanout: &impl Fanout, rate: Option<u64>, count: u64) -> Result<Published> {
    let (mut calls, mut lateness) = (clock::latencies()?, clock::latencies()?);
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
            ids.extend(fanout.publish(payload::data(before, payload::SIZE)).await);
            let after = clock::now();
            calls.saturating_record(after - before);
            if let Some(rate) = rate {
                let due_at = started + published * 1_000_000_000 / rate;
                lateness.saturating_record(after.saturating_sub(due_at));
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
        call_p99: calls.value_at_quantile(0.99),
        late_p99: lateness.value_at_quantile(0.99),
        ids,
    })
}

/// The shortest time between two ticks: the resolution of tokio's clock.
const TICK: Duration = Duration::from_millis(1);

fn tick(rate: u64) -> Duration {
    TICK.max(Duration::from_nanos(1_000_000_000 / rate))
}

/// Counts the messages that are due after this number of nanoseconds; the first one at once.
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
