//! `Store`: the replayer on disk.

use std::{
    fmt,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

use fjall::{Database, OwnedWriteBatch, PersistMode};
use sse_core::{
    EventId, Gap, Message, Page, Position, ReadError, Replayer, StoreError, Stored, Topics,
};

use crate::{
    directory::Directory,
    epochs::{Epochs, Runs},
    error::OpenError,
    merge::Pager,
    options::{Durability, Options},
    record::{Body, Commit, MAX_TOPIC, Record, message_key, own_id_key},
    segment::{Segment, SegmentError},
    segments::{self, Segments},
};

/// A batch is written in parts of about so many bytes: what the engine holds twice while it writes.
const PART_BYTES: u64 = 4 << 20;

/// What the engine may use for what was read before.
const CACHE_BYTES: u64 = 64 << 20;

/// What the engine may have unsorted, more or less: it bounds how long opening takes.
const JOURNAL_BYTES: u64 = 64 << 20;

/// A history in a directory: a [`Replayer`] that survives restarts and crashes.
///
/// A handle: clones are the same store. It is closed when the last is dropped, and with them whatever reads from it.
///
/// ```
/// # let directory = tempfile::tempdir()?;
/// # let directory = directory.path().join("events");
/// use sse_core::{Hub, Joe};
/// use sse_store::{Durability, Store};
///
/// let store = Store::at(directory).durability(Durability::Os).max_messages(1_000_000).open()?;
/// let hub = Hub::new(Joe::builder().replayer(store).build());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    options: Options,
    path: PathBuf,
    database: Database,
    epochs: Epochs,
    segments: RwLock<Segments>,
    /// Nothing up to here is shown, because something is missing.
    floor: u64,
    lost: Option<Lost>,
    /// Held over a whole write.
    writer: Mutex<Directory>,
}

/// What was stored once and is not there any more, though no bound dropped it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lost {
    /// The newest messages: the machine ended before they were on disk, or the journal is damaged. Positions as in
    /// ids, after the hyphen.
    Newest(RangeInclusive<u64>),
    /// Everything up to here was dropped by [`Options::repair`], because something was missing.
    Until(u64),
}

impl Store {
    /// Begins the set-up of a store in a directory.
    pub fn at(directory: impl Into<PathBuf>) -> Options {
        Options::new(directory.into())
    }

    /// Opens the store in a directory, or makes it, with the recommended settings.
    pub fn open(directory: impl Into<PathBuf>) -> Result<Self, OpenError> {
        Self::at(directory).open()
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// The positions of the oldest and of the newest message that is kept; empty if there is none.
    pub fn positions(&self) -> RangeInclusive<u64> {
        let segments = self.inner.segments();
        self.inner.floor(&segments) + 1..=end(&segments)
    }

    /// What was found to be lost when the store was opened. Clients that had it are told of a gap.
    pub fn lost(&self) -> Option<&Lost> {
        self.inner.lost.as_ref()
    }

    pub(crate) fn with(options: Options) -> Result<Self, OpenError> {
        let mut directory = Directory::open(&options.directory)?;
        let path = directory.path().to_owned();
        let damaged = |source: SegmentError| OpenError::Damaged {
            path: path.clone(),
            source: source.into(),
        };
        let database = Database::builder(directory.engine())
            .cache_size(CACHE_BYTES)
            .max_journaling_size(JOURNAL_BYTES)
            .open()
            .map_err(|error| damaged(error.into()))?;
        let segments = segments::open(&database).map_err(damaged)?;
        let runs = Runs::open(&database).map_err(damaged)?;
        let end = end(&segments);
        let noted = directory.end().filter(|noted| *noted > end);
        let mut lost = noted.map(|noted| Lost::Newest(end + 1..=noted));
        let mut floor = runs.floor().map_err(damaged)?;
        if let Some(missing) = segments::missing(&segments, floor).map_err(damaged)? {
            if !options.repairs {
                return Err(OpenError::Incomplete { path, missing });
            }
            floor = *missing.end();
            runs.set_floor(floor).map_err(damaged)?;
            lost = Some(Lost::Until(floor));
        }
        let dropped = segments::floor(&segments, &options, options.now()).max(floor);
        let epochs = runs.begin(end, dropped).map_err(damaged)?;
        let inner = Inner {
            path,
            options,
            database,
            epochs,
            segments: RwLock::new(segments),
            floor,
            lost,
            writer: Mutex::new(directory),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }
}

impl Inner {
    fn segments(&self) -> Segments {
        let segments = self.segments.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&segments)
    }

    fn writer(&self) -> MutexGuard<'_, Directory> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The position before the oldest message that is kept.
    fn floor(&self, segments: &Segments) -> u64 {
        let dropped = segments::floor(segments, &self.options, self.options.now());
        dropped.max(self.floor)
    }

    /// The segment for the next message; a new one if the newest has its part.
    fn segment(&self, now: u64) -> Result<Arc<Segment>, SegmentError> {
        let segments = self.segments();
        if let Some(newest) = segments.last()
            && !segments::is_full(newest, &self.options, now)
        {
            return Ok(Arc::clone(newest));
        }
        let (segments, dropped) = segments::rotate(&segments, &self.database, &self.options, now)?;
        let newest = segments.last().map(Arc::clone);
        *self
            .segments
            .write()
            .unwrap_or_else(PoisonError::into_inner) = segments;
        for segment in dropped {
            // Its files go with the last reader.
            self.database.delete_keyspace(segment.keyspace.clone())?;
        }
        newest.ok_or(SegmentError::Damaged(0))
    }

    /// Writes a batch, all or nothing, and answers for each of its messages.
    fn finish(
        &self,
        batch: Batch,
        directory: &mut Directory,
        answers: &mut Vec<Result<Stored, StoreError>>,
    ) {
        let Batch {
            segment,
            commit,
            mut items,
            stored,
        } = batch;
        items.insert(&segment.keyspace, Commit::key(commit.last), commit.value());
        if let Err(error) = items.commit() {
            let text = failed(error.into()).to_string();
            answers.extend(stored.iter().map(|_| Err(StoreError::new(text.clone()))));
            return;
        }
        segment.has_committed(&commit);
        if self.options.durability != Durability::Memory {
            // It may be behind, as after a crash here; then the loss of these would go unnoticed.
            let _ = directory.set_end(commit.last);
        }
        answers.extend(stored.into_iter().map(Ok));
    }
}

/// What is written at once.
struct Batch {
    segment: Arc<Segment>,
    commit: Commit,
    items: OwnedWriteBatch,
    stored: Vec<Stored>,
}

impl Batch {
    fn begin(inner: &Inner) -> Result<Self, SegmentError> {
        let now = inner.options.now();
        let segment = inner.segment(now)?;
        let durability = match inner.options.durability {
            Durability::Memory => None,
            Durability::Os => Some(PersistMode::Buffer),
            Durability::Disk => Some(PersistMode::SyncData),
        };
        let commit = Commit {
            first: segment.last() + 1,
            last: segment.last(),
            time: now,
            bytes: segment.bytes(),
        };
        Ok(Self {
            items: OwnedWriteBatch::with_capacity(inner.database.clone(), 2).durability(durability),
            segment,
            commit,
            stored: Vec::new(),
        })
    }

    fn is_full(&self) -> bool {
        self.commit.bytes - self.segment.bytes() >= PART_BYTES
    }

    fn push(&mut self, message: Message, topics: &Topics, epochs: &Epochs) {
        let position = self.commit.last + 1;
        let own_id = message.event_id().cloned();
        let id = match &own_id {
            Some(id) => id.clone(),
            None => epochs.id(position),
        };
        let bytes = message.id(id.clone()).to_bytes();
        let keyspace = &self.segment.keyspace;
        let mut body = Body::Here(&bytes);
        for topic in topics.iter() {
            let has_own_id = own_id.is_some();
            let record = Record { has_own_id, body };
            self.items
                .insert(keyspace, message_key(topic, position), record.to_value());
            body = match body {
                Body::Here(_) => Body::Under(topic),
                under @ Body::Under(_) => under,
            };
        }
        if let Some(own_id) = own_id {
            self.items
                .insert(keyspace, own_id_key(&own_id, position), []);
        }
        self.commit.last = position;
        self.commit.bytes += bytes.len() as u64;
        self.stored.push(Stored {
            id,
            bytes,
            position: Position(position),
        });
    }
}

fn too_long(topics: &Topics) -> Option<StoreError> {
    let long = topics.iter().find(|topic| topic.len() > MAX_TOPIC)?;
    let text = format!("a topic has {} bytes, the limit is {MAX_TOPIC}", long.len());
    Some(StoreError::new(text))
}

impl Replayer for Store {
    fn put(&self, message: Message, topics: &Topics) -> Result<Stored, StoreError> {
        let answer = self.put_all(vec![(message, topics.clone())]).pop();
        answer.unwrap_or_else(|| Err(StoreError::new("nothing was stored")))
    }

    fn put_all(&self, messages: Vec<(Message, Topics)>) -> Vec<Result<Stored, StoreError>> {
        let inner = self.inner.as_ref();
        let directory = &mut inner.writer();
        let mut answers = Vec::with_capacity(messages.len());
        let mut begun: Option<Batch> = None;
        for (message, topics) in messages {
            if let Some(batch) =
                begun.take_if(|batch| batch.is_full() || too_long(&topics).is_some())
            {
                inner.finish(batch, directory, &mut answers);
            }
            let batch = match (begun.take(), too_long(&topics)) {
                (_, Some(error)) => Err(error),
                (Some(batch), None) => Ok(batch),
                (None, None) => Batch::begin(inner).map_err(failed),
            };
            match batch {
                Ok(batch) => begun.insert(batch).push(message, &topics, &inner.epochs),
                Err(error) => answers.push(Err(error)),
            }
        }
        if let Some(batch) = begun {
            inner.finish(batch, directory, &mut answers);
        }
        answers
    }

    fn end(&self) -> Position {
        Position(end(&self.inner.segments()))
    }

    fn seek(&self, id: &EventId, topics: &Topics) -> Result<Position, ReadError> {
        let inner = self.inner.as_ref();
        let segments = inner.segments();
        let floor = inner.floor(&segments);
        if let Some(position) = inner.epochs.position(id, end(&segments)) {
            if position <= floor {
                return Err(Gap::Expired.into());
            }
            let holds = |segment: &&Arc<Segment>| segment.after < position;
            let segment = segments.iter().rfind(holds);
            let found = segment.map(|segment| segment.has_own_id(position, topics));
            if found.transpose().map_err(failed)?.flatten() == Some(false) {
                return Ok(Position(position));
            }
        }
        for segment in segments.iter().filter(|segment| segment.last() > floor) {
            let found = segment.own_position(id, floor, topics).map_err(failed)?;
            if let Some(position) = found {
                return Ok(Position(position));
            }
        }
        Err(Gap::Unknown.into())
    }

    fn page(
        &self,
        after: Option<Position>,
        until: Position,
        topics: &Topics,
    ) -> Result<Page, ReadError> {
        let segments = self.inner.segments();
        let floor = self.inner.floor(&segments);
        let after = after.map_or(floor, |after| after.0);
        if after < floor {
            return Err(Gap::Expired.into());
        }
        let mut pager = Pager::new(after);
        for segment in segments.iter().filter(|segment| segment.last() > after) {
            pager.take(segment, topics, until.0).map_err(failed)?;
            if pager.is_full() {
                break;
            }
        }
        Ok(pager.page())
    }

    fn may_wait(&self) -> bool {
        true
    }
}

fn end(segments: &Segments) -> u64 {
    segments.last().map_or(0, |newest| newest.last())
}

fn failed(error: SegmentError) -> StoreError {
    match error {
        SegmentError::Engine(fjall::Error::Poisoned) => {
            StoreError::new("the store has failed before and takes nothing more; open it again")
        }
        other => StoreError::new(other),
    }
}

/// How much there is, not what: messages do not belong into a log file.
impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("options", &self.inner.options)
            .field("positions", &self.positions())
            .field("lost", &self.inner.lost)
            .finish_non_exhaustive()
    }
}
