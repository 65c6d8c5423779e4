//! `Store`: the replayer on disk, and the options that it is opened with.

use std::{
    fmt,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use sse_core::{
    EventId, Message, Topics,
    replay::{Blocking, Cursor, Epoch, Page, Position, ReadError, Replayer, StoreError, Stored},
};

use crate::{
    directory::Directory,
    error::OpenError,
    log::{Log, Settings, SharedLog},
    segments::{Bounds, Snapshot},
    writer::{Durability, Writer},
};

/// A history in a directory: a [`Replayer`] that survives restarts and crashes.
///
/// A handle: clones are the same store. It is closed when the last clone is dropped, and with it
/// everything that reads from it; then the disk has everything, whatever the [`Durability`]. A
/// provider flushes it when it is shut down or dropped, and waits for that.
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

/// The fields are dropped in this order: the directory, which the writer has, is released last.
struct Inner {
    path: PathBuf,
    lost: Option<Lost>,
    set_aside: Option<PathBuf>,
    log: Arc<SharedLog>,
    writer: Mutex<Writer>,
}

/// The messages that were stored once and are not there any more, though no bound dropped them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lost {
    /// The newest messages: the machine ended before they were on disk, or the journal is damaged.
    /// Positions as in ids, after the hyphen.
    Newest(RangeInclusive<u64>),
    /// Perhaps messages after this position: the process or the machine ended before messages were
    /// where its end does not reach them, see [`Durability`], and nothing tells if there were any.
    Perhaps(u64),
    /// Everything up to here was dropped by [`Options::repair`], because something was missing.
    Until(u64),
}

impl Store {
    /// Begins the set-up of a store in a directory.
    pub fn at(directory: impl Into<PathBuf>) -> Options {
        Options {
            directory: directory.into(),
            settings: Settings {
                durability: Durability::default(),
                bounds: Bounds {
                    messages: u64::MAX,
                    bytes: 1 << 30,
                    age: None,
                    clock: Arc::new(Instant::now),
                },
                max_memory: 2 << 20,
                repairs: false,
            },
        }
    }

    /// Opens the store in a directory, or makes it, with the recommended settings.
    pub fn open(directory: impl Into<PathBuf>) -> Result<Self, OpenError> {
        Self::at(directory).open()
    }

    /// Returns the directory.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Returns the positions of the oldest and of the newest message that is kept; empty if there
    /// is none.
    pub fn positions(&self) -> RangeInclusive<u64> {
        let closed = 1..=self.inner.log.end().0;
        self.inner
            .log
            .read(|log| {
                let Snapshot { floor, end, .. } = log.segments.snapshot();
                floor.0 + 1..=end.0
            })
            .unwrap_or(closed)
    }

    /// Returns the messages that were found to be lost when the store was opened. Clients that had
    /// them are told of a gap.
    pub fn lost(&self) -> Option<&Lost> {
        self.inner.lost.as_ref()
    }

    /// Returns the directory with the engine's files as they were found when the store was opened,
    /// if they could not all be read. It is never removed by the store.
    ///
    /// To bring it back, close the store, put its `fjall` in the place of the store's own, and open
    /// the store: messages that were stored since are then gone, and clients that have them are
    /// told of a gap. To give it up, remove it.
    pub fn set_aside(&self) -> Option<&Path> {
        self.inner.set_aside.as_deref()
    }
}

/// Sets up a [`Store`].
///
/// History is kept in segments and dropped by the segment, each about an eighth of what the bounds
/// allow: of that, at least three quarters are there.
#[must_use = "options do nothing until the store is opened"]
pub struct Options {
    directory: PathBuf,
    settings: Settings,
}

impl Options {
    /// Sets what an acknowledged publish survives; by default [`Durability::Os`].
    pub fn durability(mut self, durability: Durability) -> Self {
        self.settings.durability = durability;
        self
    }

    /// Sets the most messages that are kept; at least 8.
    pub fn max_messages(mut self, messages: u64) -> Self {
        self.settings.bounds.messages = messages.max(8);
        self
    }

    /// Sets the most bytes of messages that are kept, by default 1 GiB; at least 64 KiB, and in any
    /// case the newest messages. Everything counts that is kept of a message: each of its topics
    /// with its name, the bytes on the wire, ids, and 24 bytes for each record of them. On disk it
    /// may be twice as much for a while.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.settings.bounds.bytes = bytes.max(64 << 10);
        self
    }

    /// Sets how long a message is kept, at least 8 ms; it may be there for an eighth longer. By
    /// default age does not matter.
    ///
    /// The time counts for which the store is open. A clock that is set wrong or right drops
    /// nothing, and a message is kept longer by the time that the store was closed.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.settings.bounds.age = Some(age.max(Duration::from_millis(8)));
        self
    }

    /// Sets how many bytes of the newest messages are in memory as well, about; by default 2 MiB.
    /// Clients that come back soon are served from there, without a look at the disk. More than
    /// fits into the cache of the processor makes storing slower.
    pub fn max_memory(mut self, bytes: usize) -> Self {
        self.settings.max_memory = bytes;
        self
    }

    /// Opens a store even if something is missing in its middle, and drops everything before: see
    /// [`Store::lost`]. If its files are damaged, sets them aside and begins with nothing: see
    /// [`Store::set_aside`]. By default those are [errors](OpenError), so that the directory can be
    /// restored from a backup.
    pub fn repair(mut self) -> Self {
        self.settings.repairs = true;
        self
    }

    /// Sets the clock, for tests; by default [`Instant::now`].
    pub fn clock(mut self, clock: impl Fn() -> Instant + Send + Sync + 'static) -> Self {
        self.settings.bounds.clock = Arc::new(clock);
        self
    }

    /// Opens the store, or makes it, directory and all.
    ///
    /// Takes in the order of a second for each 100 MB that had not been sorted when the process
    /// ended. Blocks on the disk; before the server starts is the place to call it.
    ///
    /// If the engine would remove what it cannot read, a copy is [set aside](Store::set_aside)
    /// first.
    pub fn open(self) -> Result<Store, OpenError> {
        let Self {
            directory,
            settings,
        } = self;
        let mut directory = Directory::open(&directory)?;
        let path = directory.path().to_owned();
        let mut opened = open_or_leave(&settings, &mut directory);
        if settings.repairs
            && let Err(OpenError::Damaged { .. }) = opened
        {
            let set_aside = directory.set_aside()?.keep()?;
            let begun = Log::open(&settings, &mut directory);
            opened = begun.map(|(log, lost)| (log, lost, set_aside));
        }
        let (log, lost, set_aside) = opened?;
        let log = Arc::new(SharedLog::new(log));
        let writer = Writer::new(settings, Arc::clone(&log), directory);
        let inner = Inner {
            path,
            lost,
            set_aside,
            log,
            writer: Mutex::new(writer),
        };
        Ok(Store {
            inner: Arc::new(inner),
        })
    }
}

/// Opens a log, or leaves everything as it was.
fn open_or_leave(
    settings: &Settings,
    directory: &mut Directory,
) -> Result<(Log, Option<Lost>, Option<PathBuf>), OpenError> {
    let found = directory.examine()?;
    match (Log::open(settings, directory), found) {
        (Ok((log, lost)), None) => Ok((log, lost, None)),
        (Ok((log, lost)), Some(found)) => Ok((log, lost, found.keep()?)),
        (Err(error), None) => Err(error),
        (Err(error), Some(found)) => {
            found.undo()?;
            Err(error)
        }
    }
}

impl Replayer for Store {
    fn append(&self, batch: Vec<(Message, Topics)>) -> Vec<Result<Stored, StoreError>> {
        let writer = self.inner.writer.lock();
        let mut writer = writer.unwrap_or_else(PoisonError::into_inner);
        writer.append(batch)
    }

    fn end(&self) -> Position {
        self.inner.log.end()
    }

    fn cursor_id(&self, from: Cursor, topics: &Topics) -> EventId {
        let id = self.inner.log.read(|log| {
            let floor = log.segments.snapshot().floor;
            let from = from.advance(from.after, floor);
            log.epochs.current().cursor_id(from, topics)
        });
        // One that is told of a gap.
        id.unwrap_or_else(|_| Epoch::random().cursor_id(from, topics))
    }

    /// All topics begin at the floor.
    fn earliest(&self, _: &Topics) -> Cursor {
        let floor = self.inner.log.read(|log| log.segments.snapshot().floor);
        floor.map_or(Cursor::EARLIEST, |floor| {
            Cursor::EARLIEST.advance(Position(0), floor)
        })
    }

    fn seek(&self, id: &EventId, topics: &Topics, blocking: Blocking) -> Result<Cursor, ReadError> {
        let log = &self.inner.log;
        log.read(|log| log.seek(id, topics, blocking))?
    }

    fn page(
        &self,
        from: Cursor,
        until: Position,
        topics: &Topics,
        blocking: Blocking,
    ) -> Result<Page, ReadError> {
        let log = &self.inner.log;
        log.read(|log| log.page(from, until, topics, blocking))?
    }

    fn flush(&self) -> Result<(), StoreError> {
        let writer = self.inner.writer.lock();
        let mut writer = writer.unwrap_or_else(PoisonError::into_inner);
        Ok(writer.flush()?)
    }

    fn is_blocking(&self) -> bool {
        true
    }
}

/// Shows how much there is, not the messages: they do not belong into a log file.
impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("path", &self.inner.path)
            .field("positions", &self.positions())
            .field("lost", &self.inner.lost)
            .field("set_aside", &self.inner.set_aside)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("directory", &self.directory)
            .field("durability", &self.settings.durability)
            .field("max_messages", &self.settings.bounds.messages)
            .field("max_bytes", &self.settings.bounds.bytes)
            .field("max_age", &self.settings.bounds.age)
            .field("repairs", &self.settings.repairs)
            .finish_non_exhaustive()
    }
}
