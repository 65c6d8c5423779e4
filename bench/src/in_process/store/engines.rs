//! The engines that keep a history, and the messages that they keep.

use std::{fmt, path::Path, sync::Arc};

use anyhow::Result;
use fastrand::Rng;
use serde::{Deserialize, Serialize};
use sse_core::{
    EventId, FiniteReplayer, Message, Topics,
    replay::{Blocking, Cursor, Page, Position, ReadError, Replayer, StoreError, Stored},
};
use sse_store::{Durability, Store};

use super::redb::Redb;
use crate::payload::SIZE;

/// The bound in bytes: more than any history here takes, and little enough for several segments in
/// the largest.
const BYTES: u32 = u32::MAX;

/// The engine that keeps a history, and what the history survives.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
pub(super) enum Engine {
    Finite,
    Memory,
    Os,
    Disk,
    Redb,
    RedbSynced,
}

/// An engine that is open.
#[derive(Clone, Debug)]
pub(super) struct History {
    replayer: Arc<dyn Replayer>,
    /// The same, if it is an `sse-store`.
    pub(super) store: Option<Store>,
}

impl Engine {
    /// Opens it with room for everything, or for this number of messages.
    pub(super) fn open(self, directory: &Path, keep: Option<u64>) -> Result<History> {
        let most = keep.unwrap_or(u64::MAX);
        let durability = match self {
            Self::Finite => {
                let replayer = FiniteReplayer::new(usize::try_from(most)?);
                let replayer = replayer.max_bytes(usize::try_from(BYTES)?);
                return Ok(History::new(replayer, None));
            }
            Self::Redb | Self::RedbSynced => {
                let replayer = Redb::open(directory, self == Self::RedbSynced)?;
                return Ok(History::new(replayer, None));
            }
            Self::Memory => Durability::Memory,
            Self::Os => Durability::Os,
            Self::Disk => Durability::Disk,
        };
        let options = Store::at(directory.join("store")).durability(durability);
        let options = options.max_bytes(BYTES.into()).max_messages(most);
        let store = options.open()?;
        Ok(History::new(store.clone(), Some(store)))
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Finite => "FiniteReplayer",
            Self::Memory => "sse-store, Memory",
            Self::Os => "sse-store, Os",
            Self::Disk => "sse-store, Disk",
            Self::Redb => "redb, without sync",
            Self::RedbSynced => "redb, with sync",
        })
    }
}

impl History {
    fn new(replayer: impl Replayer, store: Option<Store>) -> Self {
        let replayer = Arc::new(replayer);
        Self { replayer, store }
    }

    /// Appends `count` messages; calls `stored` with the topic and the bytes on the wire of each.
    pub(super) fn append(
        &self,
        source: &mut Source,
        count: u64,
        mut stored: impl FnMut(usize, usize),
    ) -> Result<()> {
        let topics: Vec<usize> = (0..count).map(|_| source.topic()).collect();
        let messages = topics.iter();
        let messages = messages.map(|topic| (source.message(), source.topics[*topic].clone()));
        let answers = self.replayer.append(messages.collect());
        for (topic, answer) in topics.into_iter().zip(answers) {
            stored(topic, answer?.bytes.len());
        }
        Ok(())
    }
}

impl Replayer for History {
    fn append(&self, batch: Vec<(Message, Topics)>) -> Vec<Result<Stored, StoreError>> {
        self.replayer.append(batch)
    }

    fn end(&self) -> Position {
        self.replayer.end()
    }

    fn cursor_id(&self, from: Cursor, topics: &Topics) -> EventId {
        self.replayer.cursor_id(from, topics)
    }

    fn earliest(&self, topics: &Topics) -> Cursor {
        self.replayer.earliest(topics)
    }

    fn seek(&self, id: &EventId, topics: &Topics, blocking: Blocking) -> Result<Cursor, ReadError> {
        self.replayer.seek(id, topics, blocking)
    }

    fn page(
        &self,
        from: Cursor,
        until: Position,
        topics: &Topics,
        blocking: Blocking,
    ) -> Result<Page, ReadError> {
        self.replayer.page(from, until, topics, blocking)
    }

    fn is_blocking(&self) -> bool {
        self.replayer.is_blocking()
    }
}

/// Messages of random letters and digits, which hardly compress, to random topics; the same in each
/// run.
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
            topics: (0..topics).map(|it| format!("topic:{it}").into()).collect(),
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
