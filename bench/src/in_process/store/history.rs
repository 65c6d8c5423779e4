//! What is measured, and what goes in.

use std::{fmt, path::Path, sync::Arc};

use anyhow::Result;
use fastrand::Rng;
use serde::{Deserialize, Serialize};
use sse_core::{EventId, FiniteReplayer, Message, Topics, replay::{Cursor, Page, Position, ReadError, Replayer, StoreError, Stored}};
use sse_store::{Durability, Store};

use super::redb::Redb;
use crate::{clock, in_process::deliveries::SIZE};

/// More than any history here takes, and little enough for several segments in the largest.
const BYTES: u32 = u32::MAX;

/// What keeps history, and what it survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) enum Engine {
    Finite,
    Store(Level),
    Redb { syncs: bool },
}

/// As [`Durability`], for files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) enum Level {
    Memory,
    Os,
    Disk,
}

/// An engine that is open.
#[derive(Clone, Debug)]
pub(super) enum History {
    Finite(Arc<FiniteReplayer>),
    Store(Store),
    Redb(Arc<Redb>),
}

impl Engine {
    /// Opens it with room for everything, or for so many messages.
    pub(super) fn open(self, directory: &Path, keep: Option<u64>) -> Result<History> {
        let most = keep.unwrap_or(u64::MAX);
        Ok(match self {
            Self::Finite => {
                let replayer = FiniteReplayer::new(usize::try_from(most)?)?;
                History::Finite(Arc::new(replayer.max_bytes(usize::try_from(BYTES)?)))
            }
            Self::Store(level) => {
                let durability = match level {
                    Level::Memory => Durability::Memory,
                    Level::Os => Durability::Os,
                    Level::Disk => Durability::Disk,
                };
                let options = Store::at(directory.join("store")).durability(durability);
                let options = options.max_bytes(BYTES.into()).max_messages(most);
                History::Store(options.open()?)
            }
            Self::Redb { syncs } => History::Redb(Arc::new(Redb::open(directory, syncs)?)),
        })
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Finite => "FiniteReplayer",
            Self::Store(Level::Memory) => "sse-store, Memory",
            Self::Store(Level::Os) => "sse-store, Os",
            Self::Store(Level::Disk) => "sse-store, Disk",
            Self::Redb { syncs: false } => "redb, without sync",
            Self::Redb { syncs: true } => "redb, with sync",
        })
    }
}

impl History {
    fn replayer(&self) -> &dyn Replayer {
        match self {
            Self::Finite(replayer) => replayer.as_ref(),
            Self::Store(replayer) => replayer,
            Self::Redb(replayer) => replayer.as_ref(),
        }
    }

    /// Appends so many messages; their bytes on the wire.
    pub(super) fn append(
        &self,
        source: &mut Source,
        count: u64,
        mut stored: impl FnMut(usize, usize),
    ) -> Result<()> {
        if count == 1 {
            let topic = source.topic();
            let answer = self.put(source.message(), &source.topics[topic])?;
            stored(topic, answer.bytes.len());
            return Ok(());
        }
        let topics: Vec<usize> = (0..count).map(|_| source.topic()).collect();
        let messages = topics
            .iter()
            .map(|topic| (source.message(), source.topics[*topic].clone()));
        let messages = messages.collect();
        for (topic, answer) in topics.into_iter().zip(self.put_all(messages)) {
            stored(topic, answer?.bytes.len());
        }
        Ok(())
    }
}

impl Replayer for History {
    fn put(&self, message: Message, topics: &Topics) -> Result<Stored, StoreError> {
        self.replayer().put(message, topics)
    }

    fn put_all(&self, messages: Vec<(Message, Topics)>) -> Vec<Result<Stored, StoreError>> {
        self.replayer().put_all(messages)
    }

    fn end(&self) -> Position {
        self.replayer().end()
    }

    fn cursor_id(&self, from: Cursor, topics: &Topics) -> EventId {
        self.replayer().cursor_id(from, topics)
    }

    fn earliest(&self, topics: &Topics) -> Cursor {
        self.replayer().earliest(topics)
    }

    fn seek(&self, id: &EventId, topics: &Topics) -> Result<Cursor, ReadError> {
        self.replayer().seek(id, topics)
    }

    fn page(&self, from: Cursor, until: Position, topics: &Topics) -> Result<Page, ReadError> {
        self.replayer().page(from, until, topics)
    }

    fn may_wait(&self) -> bool {
        self.replayer().may_wait()
    }
}

/// Messages that no compression makes smaller than letters and digits are, to random topics; the same in each run.
#[derive(Debug)]
pub(super) struct Source {
    random: Rng,
    messages: Vec<Message>,
    pub(super) topics: Vec<Topics>,
}

impl Source {
    pub(super) fn new(topics: usize) -> Self {
        let mut random = Rng::with_seed(1);
        let message = |_| {
            let data: String = (0..SIZE).map(|_| random.alphanumeric()).collect();
            Message::data(data)
        };
        Self {
            messages: (0..1_024).map(message).collect(),
            topics: (0..topics)
                .map(|number| Topics::from(format!("topic:{number}")))
                .collect(),
            random,
        }
    }

    pub(super) fn message(&mut self) -> Message {
        self.messages[self.random.usize(..self.messages.len())].clone()
    }

    fn topic(&mut self) -> usize {
        self.random.usize(..self.topics.len())
    }
}

/// Wall and CPU time of this process.
#[derive(Clone, Copy, Debug)]
pub(super) struct Watch {
    wall: u64,
    cpu: u64,
}

impl Watch {
    pub(super) fn start() -> Self {
        Self {
            wall: clock::now(),
            cpu: clock::process_cpu(),
        }
    }

    /// Seconds since the start.
    pub(super) fn wall(self) -> f64 {
        clock::seconds(clock::now() - self.wall)
    }

    /// Seconds of CPU time of all threads since the start.
    pub(super) fn cpu(self) -> f64 {
        clock::seconds(clock::process_cpu() - self.cpu)
    }
}

/// A count to calculate with.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
pub(super) fn real(count: u64) -> f64 {
    count as f64
}
