//! What burst, sustained, paced and stuck have in common: publish to many and see what arrives.

use std::time::Duration;

use anyhow::{Result, bail};

use super::units::milliseconds;
use crate::{
    clients::Clients,
    clock,
    peers::is_ours,
    process::Process,
    server::{Command, Published},
};

/// Bytes of data in each message.
pub(super) const SIZE: usize = 128;

/// How one publishing went.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) published: Published,
    pub(super) received: u64,
    pub(super) expected: u64,
    /// Seconds from the first publish to the last byte read.
    pub(super) seconds: f64,
    /// Seconds of CPU time of the server in the meantime.
    pub(super) server_cpu: f64,
    /// The same of the readers.
    pub(super) readers_cpu: f64,
    /// Milliseconds from publishing to reading.
    pub(super) p50: f64,
    pub(super) p99: f64,
}

/// Lets the server publish and reads until everything has arrived, or nothing more will.
pub(super) fn publish(
    server: &mut Process,
    clients: &mut Clients,
    command: Command,
) -> Result<Outcome> {
    let (Command::Burst { count, .. } | Command::Pace { count, .. }) = command else {
        bail!("{command:?} publishes nothing");
    };
    // What comes after the head of a response, such as a first comment, is no part of the measurement.
    clients.read_for(Duration::from_millis(100))?;
    clients.latencies.clear();
    let (cpu, readers_cpu) = (server.cpu()?, clock::thread_cpu());
    server.tell(command)?;
    let mut published = None;
    clients.read_until(count, || {
        if published.is_none() {
            published = server.published()?;
        }
        Ok(published.is_some())
    })?;
    let readers_cpu = clock::thread_cpu() - readers_cpu;
    let server_cpu = server.cpu()? - cpu;
    let published = match published {
        Some(published) => published,
        None => server.wait_published(Duration::from_secs(10))?,
    };
    if clients.most() > count {
        bail!("a client got {} messages of {count}", clients.most());
    }
    Ok(Outcome {
        received: clients.received(),
        expected: count * clients.count() as u64,
        seconds: clock::seconds(clients.last_byte.saturating_sub(published.started)),
        server_cpu: clock::seconds(server_cpu),
        readers_cpu: clock::seconds(readers_cpu),
        p50: milliseconds(clients.latencies.p50()),
        p99: milliseconds(clients.latencies.p99()),
        published,
    })
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
impl Outcome {
    /// Millions of messages per second that arrived.
    pub(super) fn millions_per_second(&self) -> f64 {
        self.received as f64 / self.seconds / 1e6
    }

    /// Microseconds of the server's CPU time for each message that arrived.
    pub(super) fn cpu_each(&self) -> f64 {
        self.server_cpu * 1e6 / self.received as f64
    }

    /// How busy the readers were, in percent of their core.
    pub(super) fn readers_load(&self) -> f64 {
        self.readers_cpu * 100.0 / self.seconds
    }

    /// How busy the server was, in percent of its core.
    pub(super) fn server_load(&self) -> f64 {
        self.server_cpu * 100.0 / self.seconds
    }

    /// Percent of the messages that did not arrive.
    pub(super) fn lost(&self) -> f64 {
        (self.expected - self.received) as f64 * 100.0 / self.expected as f64
    }

    /// Fails if one of our adapters, which promise it, did not deliver everything.
    pub(super) fn check(&self, peer: &str) -> Result<()> {
        let (received, expected) = (self.received, self.expected);
        if is_ours(peer) && received != expected {
            bail!("{received} of {expected} messages arrived, although delivery is promised");
        }
        Ok(())
    }
}

/// Bounds of Joe's queues within which nobody falls out, in scenarios that ask for every delivery.
pub(super) fn roomy(peer: &str) -> Vec<String> {
    let words: &[&str] = if is_ours(peer) {
        &["--queue", "65536", "67108864"]
    } else {
        &[]
    };
    words.iter().map(ToString::to_string).collect()
}
