//! `Store`: the replayer on disk.

use std::{
    fmt,
    num::NonZero,
    ops::RangeInclusive,
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    thread,
};

use fjall::Database;
use sse_core::{
    EventId, Message, Topics,
    replay::{
        Blocking, Cursor, Page, PageBuilder, Position, ReadError, Replayer, StoreError, Stored,
        Tail,
    },
    resume::Gap,
};

use crate::{
    directory::Directory,
    epochs::{Epochs, Runs},
    error::OpenError,
    options::Options,
    segment::{Segment, SegmentError},
    segments::{self, Segments},
};

/// What the engine may use for what was read before.
const CACHE_BYTES: u64 = 64 << 20;

/// The engine's threads, which sort. On a small machine more would take the time of those who publish.
const MOST_WORKERS: usize = 2;

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

pub(crate) struct Inner {
    pub(crate) options: Options,
    path: PathBuf,
    pub(crate) database: Database,
    pub(crate) epochs: Epochs,
    segments: RwLock<Segments>,
    /// Nothing up to here is shown, because something is missing.
    floor: u64,
    lost: Option<Lost>,
    /// The newest messages.
    pub(crate) tail: Mutex<Tail>,
    /// Held over a whole write.
    pub(crate) directory: Mutex<Directory>,
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

    /// Damage of its journal is an assertion that fails in some places of the engine, and an error in others.
    pub(crate) fn with(options: Options) -> Result<Self, OpenError> {
        let directory = Directory::open(&options.directory)?;
        let path = directory.path().to_owned();
        let opened = panic::catch_unwind(AssertUnwindSafe(|| Self::within(directory, options)));
        opened.unwrap_or_else(|_| Err(SegmentError::Journal.while_opening(&path)))
    }

    fn within(mut directory: Directory, options: Options) -> Result<Self, OpenError> {
        let path = directory.path().to_owned();
        let damaged = |source: SegmentError| source.while_opening(&path);
        let database = open_engine(&directory.engine()).map_err(damaged)?;
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
        let epochs = runs.begin(end).map_err(damaged)?;
        directory.complete()?;
        let inner = Inner {
            path,
            tail: Mutex::new(Tail::new(Position(end), options.max_memory)),
            options,
            database,
            epochs,
            segments: RwLock::new(segments),
            floor,
            lost,
            directory: Mutex::new(directory),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }
}

fn open_engine(path: &Path) -> Result<Database, SegmentError> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let database = Database::builder(path)
        .worker_threads((cores / 2).clamp(1, MOST_WORKERS))
        .cache_size(CACHE_BYTES)
        .max_journaling_size(JOURNAL_BYTES)
        .open()?;
    Ok(database)
}

impl Inner {
    pub(crate) fn segments(&self) -> Segments {
        let segments = self.segments.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&segments)
    }

    pub(crate) fn tail(&self) -> MutexGuard<'_, Tail> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_segments(&self, segments: Segments) {
        let mut list = self
            .segments
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *list = segments;
    }

    /// The position before the oldest message that is kept.
    fn floor(&self, segments: &Segments) -> u64 {
        let dropped = segments::floor(segments, &self.options, self.options.now());
        dropped.max(self.floor)
    }
}

impl Replayer for Store {
    fn append(&self, batch: Vec<(Message, Topics)>) -> Vec<Result<Stored, StoreError>> {
        self.inner.append(batch)
    }

    fn end(&self) -> Position {
        Position(end(&self.inner.segments()))
    }

    fn cursor_id(&self, from: Cursor, topics: &Topics) -> EventId {
        let inner = self.inner.as_ref();
        let floor = Position(inner.floor(&inner.segments()));
        inner
            .epochs
            .cursor_id(from.advance(from.after, floor), topics)
    }

    /// All topics begin at the floor.
    fn earliest(&self, _: &Topics) -> Cursor {
        let inner = self.inner.as_ref();
        let floor = Position(inner.floor(&inner.segments()));
        Cursor::EARLIEST.advance(Position(0), floor)
    }

    fn seek(&self, id: &EventId, topics: &Topics, blocking: Blocking) -> Result<Cursor, ReadError> {
        let inner = self.inner.as_ref();
        let segments = inner.segments();
        let floor = inner.floor(&segments);
        if let Some(cursor) = inner.epochs.cursor(id, topics, end(&segments)) {
            return continued(cursor, floor);
        }
        let position = inner.epochs.position(id, end(&segments));
        if let Some(position) = position {
            if position <= floor {
                return Err(Gap::Expired.into());
            }
            if inner.tail().continues(Position(position), topics) {
                return Ok(Cursor::after(Position(position)));
            }
        }
        blocking.check()?;
        if let Some(position) = position {
            let holds = |segment: &&Arc<Segment>| segment.after < position;
            let segment = segments.iter().rfind(holds);
            let found = segment.map(|segment| segment.has_own_id(position, topics));
            if found.transpose().map_err(failed)?.flatten() == Some(false) {
                return Ok(Cursor::after(Position(position)));
            }
        }
        for segment in segments.iter().filter(|segment| segment.last() > floor) {
            let found = segment.own_position(id, floor, topics).map_err(failed)?;
            if let Some(position) = found {
                return Ok(Cursor::after(Position(position)));
            }
        }
        Err(Gap::Unknown.into())
    }

    fn page(
        &self,
        from: Cursor,
        until: Position,
        topics: &Topics,
        blocking: Blocking,
    ) -> Result<Page, ReadError> {
        let segments = self.inner.segments();
        let floor = Position(self.inner.floor(&segments));
        if from.misses(floor, floor) {
            return Err(Gap::Expired.into());
        }
        // All topics begin at the floor, and from there on nothing may be missing.
        let after = from.after.max(floor);
        let until = until.min(Position(end(&segments)));
        let in_memory = {
            let tail = self.inner.tail();
            if let Ok(page) = tail.page(from.advance(after, floor), until, topics) {
                return Ok(page);
            }
            tail.start(topics)
        };
        blocking.check()?;
        let until = until.min(in_memory);
        let mut page = PageBuilder::default();
        for segment in segments.iter().filter(|segment| segment.last() > after.0) {
            for topic in topics.iter() {
                let messages = segment.messages_of(topic, after.0, until.0);
                page.try_take(messages).map_err(failed)?;
            }
            if !page.merge() {
                break;
            }
        }
        Ok(page.finish(from, until.max(after), floor))
    }

    fn is_blocking(&self) -> bool {
        true
    }
}

/// Takes a place back, if nothing after it is lost.
fn continued(cursor: Cursor, floor: u64) -> Result<Cursor, ReadError> {
    let floor = Position(floor);
    if cursor.misses(floor, floor) {
        return Err(Gap::Expired.into());
    }
    Ok(cursor)
}

fn end(segments: &Segments) -> u64 {
    segments.last().map_or(0, |newest| newest.last())
}

pub(crate) fn failed(error: SegmentError) -> StoreError {
    match error {
        SegmentError::Engine(fjall::Error::Poisoned) => StoreError::Stopped,
        damaged @ SegmentError::Damaged(_) => StoreError::Damaged(damaged.into()),
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
