//! `Writer`: writes batches, each into the segment that has room for it.

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use fjall::{OwnedWriteBatch, PersistMode};
use sse_core::{
    EventId, Message, Topics,
    replay::{Position, StoreError, Stored},
};

use crate::{
    directory::Directory,
    epochs::Epochs,
    error::{EngineError, probe},
    log::{Log, Settings, SharedLog},
    note::State,
    record::{
        Body, Commit, MAX_TOPIC, Record, body_key, explicit_id_key, known_id_key, message_key,
        stored_size,
    },
    segment::Segment,
    segments::Segments,
};

/// A batch of this many bytes is full: the engine holds it twice while it writes.
const BATCH_BYTES: u64 = 4 << 20;

/// The endings that a publish has survived once it is acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Durability {
    /// An orderly end of the process only: up to 8 KiB are in its memory. For messages that are not
    /// worth a system call.
    Memory,
    /// The end of the process, whatever its cause: the operating system has the message. Not the
    /// end of the machine, which loses what was published in the seconds before. The recommended
    /// setting.
    #[default]
    Os,
    /// The end of the machine: the disk has the message. Many messages share one wait for the disk.
    Disk,
}

/// The time between two attempts to use a disk that was full.
const PATIENCE: Duration = Duration::from_millis(200);

/// Writes to a store; locked over a whole append. Dropped, it releases the directory last.
pub(crate) struct Writer {
    settings: Settings,
    log: Arc<SharedLog>,
    directory: Directory,
    /// The last failure, after which the engine takes nothing more.
    failure: Option<Failure>,
}

struct Failure {
    /// The disk was full, and nothing else is known to be wrong.
    is_full: bool,
    /// The moment of the last attempt to go on.
    tried: Instant,
}

impl Writer {
    pub(crate) fn new(settings: Settings, log: Arc<SharedLog>, directory: Directory) -> Self {
        Self {
            settings,
            log,
            directory,
            failure: None,
        }
    }

    pub(crate) fn append(
        &mut self,
        messages: Vec<(Message, Topics)>,
    ) -> Vec<Result<Stored, StoreError>> {
        if let Err(error) = self.recover() {
            let error = Arc::new(error);
            return messages.iter().map(|_| Err(shared(&error))).collect();
        }
        let log = Arc::clone(&self.log);
        let count = messages.len();
        let answers = log.read(|log| self.append_to(log, messages));
        answers.unwrap_or_else(|_| (0..count).map(|_| Err(StoreError::Stopped)).collect())
    }

    /// Opens the log again if the disk was full and is no more. An error says that the store cannot
    /// take anything now.
    fn recover(&mut self) -> Result<(), EngineError> {
        if !self.directory.is_there() {
            return Err(EngineError::Removed(self.directory.path().to_owned()));
        }
        let Some(failure) = &mut self.failure else {
            return Ok(());
        };
        if failure.tried.elapsed() < PATIENCE {
            return Err(EngineError::Engine(fjall::Error::Poisoned));
        }
        failure.tried = Instant::now();
        if let Err(error) = probe(self.directory.path()) {
            failure.is_full |= error.kind() == io::ErrorKind::StorageFull;
            return Err(fjall::Error::Io(error).into());
        }
        if !failure.is_full {
            // What the disk has after another failure is not known while the machine remembers
            // what it should have.
            return Err(EngineError::Engine(fjall::Error::Poisoned));
        }
        let opened = self.log.reopen(&self.settings, &mut self.directory);
        opened.map_err(|error| EngineError::Reopen(error.to_string()))?;
        self.failure = None;
        Ok(())
    }

    fn fail(&mut self, error: &EngineError) {
        let is_full = error.is_full();
        let failure = self.failure.get_or_insert_with(|| Failure {
            is_full,
            tried: Instant::now(),
        });
        failure.is_full |= is_full;
    }

    fn append_to(
        &mut self,
        log: &Log,
        messages: Vec<(Message, Topics)>,
    ) -> Vec<Result<Stored, StoreError>> {
        let mut answers = Vec::with_capacity(messages.len());
        let mut begun: Option<Batch> = None;
        for (message, topics) in messages {
            let refused = refusal(&topics);
            let ends = |batch: &mut Batch| refused.is_some() || batch.is_full(&log.segments);
            if let Some(batch) = begun.take_if(ends) {
                self.commit(log, batch, &mut answers);
            }
            let batch = match (begun.take(), refused) {
                (_, Some(error)) => Err(error),
                (Some(batch), None) => Ok(batch),
                (None, None) => self.begin(log).map_err(StoreError::from),
            };
            match batch {
                Ok(batch) => begun.insert(batch).push(&log.epochs, message, topics),
                Err(error) => answers.push(Err(error)),
            }
        }
        if let Some(batch) = begun {
            self.commit(log, batch, &mut answers);
        }
        answers
    }

    fn begin(&mut self, log: &Log) -> Result<Batch, EngineError> {
        let time = log.segments.now();
        let segment = log.segments.current(time);
        let segment = segment.inspect_err(|error| {
            if error.is_poisoned() {
                self.fail(error);
            }
        })?;
        let durability = match self.settings.durability {
            Durability::Memory => None,
            Durability::Os => Some(PersistMode::Buffer),
            Durability::Disk => Some(PersistMode::SyncData),
        };
        let commit = Commit {
            first: segment.last() + 1,
            last: segment.last(),
            time,
            bytes: segment.bytes() + Commit::SIZE,
        };
        let items = OwnedWriteBatch::with_capacity(log.database.clone(), 2);
        Ok(Batch {
            segment,
            commit,
            items: items.durability(durability),
            stored: Vec::new(),
        })
    }

    /// Writes a batch, all or nothing, and answers for each of its messages.
    fn commit(&mut self, log: &Log, batch: Batch, answers: &mut Vec<Result<Stored, StoreError>>) {
        let Batch {
            segment,
            commit,
            mut items,
            stored,
        } = batch;
        items.insert(&segment.keyspace, Commit::key(commit.last), commit.value());
        let woken = self.wake(commit.time);
        if let Err(error) = woken.and_then(|()| Ok(items.commit()?)) {
            self.fail(&error);
            let error = Arc::new(error);
            answers.extend(stored.iter().map(|_| Err(shared(&error))));
            return;
        }
        self.directory.set_end(commit.last, commit.time);
        let mut tail = log.tail();
        for Item {
            stored,
            explicit_id,
            topics,
        } in stored
        {
            let bytes = stored.bytes.clone();
            tail.push(stored.position, explicit_id, &topics, bytes);
            answers.push(Ok(stored));
        }
        // Last: everything before the end of the store that readers see is in memory by then.
        segment.has_committed(&commit);
    }

    /// Notes that from now on the disk does not have everything.
    fn wake(&mut self, now: u64) -> Result<(), EngineError> {
        if self.directory.has_ended() {
            let open = State::Open(self.settings.durability);
            self.directory
                .set_state(open, now)
                .map_err(fjall::Error::Io)?;
        }
        Ok(())
    }

    /// Waits until the disk has everything, and notes that it does.
    pub(crate) fn flush(&mut self) -> Result<(), EngineError> {
        if !self.directory.is_there() {
            return Err(EngineError::Removed(self.directory.path().to_owned()));
        }
        let persisted = self.log.read(|log| {
            log.database.persist(PersistMode::SyncAll)?;
            Ok::<_, EngineError>(log.segments.now())
        });
        let now = persisted.map_err(|_| EngineError::Engine(fjall::Error::Poisoned))??;
        let noted = self.directory.set_state(State::Ended, now);
        Ok(noted.map_err(fjall::Error::Io)?)
    }
}

/// The orderly end. A failure is one of a disk, and found when the store is opened again.
impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.flush();
    }
}

/// The error of a batch, for each of its messages.
fn shared(error: &Arc<EngineError>) -> StoreError {
    if error.is_poisoned() {
        StoreError::Stopped
    } else {
        StoreError::new(Arc::clone(error))
    }
}

/// Messages that are written at once.
struct Batch {
    segment: Arc<Segment>,
    commit: Commit,
    items: OwnedWriteBatch,
    stored: Vec<Item>,
}

struct Item {
    stored: Stored,
    explicit_id: Option<EventId>,
    topics: Topics,
}

impl Batch {
    /// Returns `true` if this is enough for one write, or for the segment.
    fn is_full(&self, segments: &Segments) -> bool {
        let messages = self.commit.last - self.segment.after;
        self.commit.bytes - self.segment.bytes() >= BATCH_BYTES
            || segments.is_part(messages, self.commit.bytes)
    }

    fn push(&mut self, epochs: &Epochs, message: Message, topics: Topics) {
        let position = self.commit.last + 1;
        let explicit_id = message.id.clone();
        let stored = Stored::new(message, epochs.current(), Position(position));
        let is_apart = topics.iter().nth(1).is_some();
        let record = Record {
            has_explicit_id: explicit_id.is_some(),
            body: if is_apart {
                Body::Apart
            } else {
                Body::Here(&stored.bytes)
            },
        };
        let value = record.to_value();
        // A longer one does not come back from a client.
        let known_id = explicit_id.as_ref();
        let known_id = known_id.filter(|id| id.as_str().len() <= EventId::MAX_BYTES);
        for topic in topics.iter() {
            self.insert(message_key(topic, position), &value);
            if let Some(id) = known_id {
                self.insert(explicit_id_key(topic, id, position), &[]);
            }
        }
        if is_apart {
            self.insert(body_key(position), &stored.bytes);
        }
        if let Some(id) = known_id {
            self.insert(known_id_key(id), &[]);
        }
        self.commit.last = position;
        self.stored.push(Item {
            stored,
            explicit_id,
            topics,
        });
    }

    /// Adds a record, and counts all of it.
    fn insert(&mut self, key: Vec<u8>, value: &[u8]) {
        self.commit.bytes += stored_size(&key, value);
        self.items.insert(&self.segment.keyspace, key, value);
    }
}

fn refusal(topics: &Topics) -> Option<StoreError> {
    if topics.is_empty() {
        return Some(StoreError::NoTopics);
    }
    let long = topics.iter().find(|topic| topic.len() > MAX_TOPIC)?;
    Some(StoreError::TopicTooLong {
        size: long.len(),
        limit: MAX_TOPIC,
    })
}
