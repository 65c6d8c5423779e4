//! The readers: thousands of clients on one thread, which count and time what they get.

mod connect;
mod connection;

use std::{io, time::Duration};

use anyhow::{Context as _, Result, bail};
use mio::{Events, Poll};

pub(crate) use self::connect::{Connect, IN_FLIGHT};
use self::connection::{Connection, Took};
use crate::{clock, latencies::Latencies};

/// Large enough that a read takes all there is, so that readers are never what is measured.
const BUFFER: usize = 256 << 10;

/// Nothing from anyone for so long, after the last message was published, means that no more will come.
const SILENCE: u64 = 1_500_000_000;

/// Nothing from anyone for so long while the server publishes means that it is stuck.
const STUCK: u64 = 30_000_000_000;

/// Clients with an open stream each.
#[derive(Debug)]
pub(crate) struct Clients {
    poll: Poll,
    events: Events,
    buffer: Box<[u8]>,
    connections: Vec<Connection>,
    /// The first ones that do not read after the head of their response.
    silent: usize,
    /// When the last byte was read, on [`clock::now`].
    pub(crate) last_byte: u64,
    /// From publishing to reading.
    pub(crate) latencies: Latencies,
}

impl Clients {
    /// How many messages came in, all clients together.
    pub(crate) fn received(&self) -> u64 {
        self.reading().iter().map(|it| it.messages).sum()
    }

    /// How many clients read.
    pub(crate) fn count(&self) -> usize {
        self.reading().len()
    }

    /// The most that one client got; more than was published means that some came twice.
    pub(crate) fn most(&self) -> u64 {
        let messages = self.reading().iter().map(|it| it.messages);
        messages.max().unwrap_or(0)
    }

    /// The fewest that one client got.
    pub(crate) fn fewest(&self) -> u64 {
        let messages = self.reading().iter().map(|it| it.messages);
        messages.min().unwrap_or(0)
    }

    /// How many streams the server has ended with a proper last chunk.
    pub(crate) fn ended_properly(&self) -> usize {
        let properly = self.connections.iter().filter(|it| it.ended_properly());
        properly.count()
    }

    /// Reads until every client has `target` messages, or until there is nothing more to come.
    ///
    /// `is_published` says whether the server is done publishing; nothing more comes a while after.
    pub(crate) fn read_until(
        &mut self,
        target: u64,
        mut is_published: impl FnMut() -> Result<bool>,
    ) -> Result<()> {
        let begin = clock::now();
        let mut missing = self.missing(target);
        let mut done = false;
        while missing > 0 {
            self.read_some(Duration::from_millis(50), |before, after| {
                missing -= usize::from(before < target && after >= target);
            })?;
            done = done || is_published()?;
            let silence = clock::now() - self.last_byte.max(begin);
            if done && silence > SILENCE {
                break;
            }
            if silence > STUCK {
                bail!("nothing came for 30 s, although the server is not done");
            }
        }
        Ok(())
    }

    /// Reads what comes in this time.
    pub(crate) fn read_for(&mut self, time: Duration) -> Result<()> {
        let end = clock::now() + u64::try_from(time.as_nanos())?;
        while clock::now() < end {
            self.read_some(Duration::from_millis(5), |_, _| ())?;
        }
        Ok(())
    }

    /// Waits for something to read and reads it; tells `on_count` what a client had before and has now.
    fn read_some(&mut self, timeout: Duration, mut on_count: impl FnMut(u64, u64)) -> Result<()> {
        self.wait(timeout)?;
        for event in &self.events {
            let connection = &mut self.connections[event.token().0];
            if !event.is_readable() {
                continue;
            }
            let before = connection.messages;
            let latencies = &mut self.latencies;
            let took =
                connection.read(&mut self.buffer, |now, took| record(latencies, now, took))?;
            self.last_byte = self.last_byte.max(took);
            if connection.messages != before {
                on_count(before, connection.messages);
            }
        }
        Ok(())
    }

    fn wait(&mut self, timeout: Duration) -> Result<()> {
        match self.poll.poll(&mut self.events, Some(timeout)) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                Err(error).context("cannot wait for sockets")
            }
            _ => Ok(()),
        }
    }

    fn missing(&self, target: u64) -> usize {
        let missing = self.reading().iter().filter(|it| it.messages < target);
        missing.count()
    }

    fn reading(&self) -> &[Connection] {
        &self.connections[self.silent..]
    }
}

/// Half of the messages of a read count as late as its first, half as its last.
///
/// To look at each would cost the reader more than to read it, and the last alone would flatter servers that send
/// many in one piece.
fn record(latencies: &mut Latencies, now: u64, took: &Took) {
    let halves = [
        (took.first, took.messages.div_ceil(2)),
        (took.last, took.messages / 2),
    ];
    for (time, weight) in halves {
        if let Some(time) = time {
            latencies.record(now.saturating_sub(time), weight);
        }
    }
}
