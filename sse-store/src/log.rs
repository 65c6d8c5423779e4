//! `Log`: the messages as the engine has them, from when it is opened until it is closed.

use std::{
    num::NonZero,
    panic::{self, AssertUnwindSafe},
    path::Path,
    sync::{
        Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use fjall::Database;
use sse_core::{
    EventId, Topics,
    replay::{Blocking, Cursor, Page, PageBuilder, Position, ReadError, StoreError, Tail},
    resume::Gap,
};

use crate::{
    directory::Directory,
    epochs::{Epochs, Runs},
    error::{EngineError, OpenError},
    segments::{Bounds, Segments, Snapshot},
    store::Lost,
    writer::Durability,
};

/// The bytes that the engine may use for what was read before.
const CACHE_BYTES: u64 = 64 << 20;

/// The most threads of the engine, which sort. On a small machine more would take the time of
/// publishers.
const MOST_WORKERS: usize = 2;

/// The bytes that the engine may have unsorted, more or less: they bound how long opening takes.
const JOURNAL_BYTES: u64 = 64 << 20;

/// The settings of a log.
#[derive(Clone)]
pub(crate) struct Settings {
    pub durability: Durability,
    pub bounds: Bounds,
    pub max_memory: usize,
    pub repairs: bool,
}

pub(crate) struct Log {
    pub segments: Segments,
    pub epochs: Epochs,
    tail: Mutex<Tail>,
    pub database: Database,
}

impl Log {
    /// Opens the log in a directory, or makes it, and finds out what it has lost.
    pub(crate) fn open(
        settings: &Settings,
        directory: &mut Directory,
    ) -> Result<(Self, Option<Lost>), OpenError> {
        let path = directory.path().to_owned();
        // Damage of its journal is an assertion that fails in some places of the engine, and an
        // error in others.
        let opened = panic::catch_unwind(AssertUnwindSafe(|| Self::open_in(settings, directory)));
        opened.unwrap_or_else(|_| Err(EngineError::Journal.while_opening(&path)))
    }

    fn open_in(
        settings: &Settings,
        directory: &mut Directory,
    ) -> Result<(Self, Option<Lost>), OpenError> {
        let path = directory.path().to_owned();
        let damaged = |error: EngineError| error.while_opening(&path);
        let database = open_engine(&directory.engine()).map_err(damaged)?;
        let runs = Runs::open(&database).map_err(damaged)?;
        let bounds = settings.bounds.clone();
        let segments = Segments::open(database.clone(), bounds, directory.time());
        let mut segments = segments.map_err(damaged)?;
        let Position(end) = segments.snapshot().end;
        let reached = directory.reached().filter(|reached| *reached > end);
        let mut lost = match reached {
            Some(reached) => Some(Lost::Newest(end + 1..=reached)),
            None => directory.may_have_lost(end).then_some(Lost::Perhaps(end)),
        };
        let has_lost = lost.is_some();
        segments.hidden = runs.floor().map_err(damaged)?;
        let missing = segments.missing(segments.hidden).map_err(damaged)?;
        if let Some(missing) = missing {
            if !settings.repairs {
                return Err(OpenError::Incomplete { path, missing });
            }
            segments.hidden = *missing.end();
            runs.set_floor(segments.hidden).map_err(damaged)?;
            lost = Some(Lost::Until(segments.hidden));
        }
        let epochs = runs.begin(end, has_lost).map_err(damaged)?;
        directory.begin(end, segments.now(), settings.durability)?;
        directory.complete()?;
        let tail = Tail::new(Position(end), settings.max_memory);
        let log = Self {
            segments,
            epochs,
            tail: Mutex::new(tail),
            database,
        };
        Ok((log, lost))
    }

    pub(crate) fn seek(
        &self,
        id: &EventId,
        topics: &Topics,
        blocking: Blocking,
    ) -> Result<Cursor, ReadError> {
        let snapshot = self.segments.snapshot();
        let Snapshot { floor, end, .. } = snapshot;
        if let Some(cursor) = self.epochs.cursor(id, topics, end) {
            let cursor = cursor?;
            if cursor.misses(floor, floor) {
                return Err(Gap::Expired.into());
            }
            return Ok(cursor);
        }
        let generated = self.epochs.position(id, end);
        if let Some(position) = generated {
            if position <= floor || self.epochs.is_before_loss(position) {
                return Err(Gap::Expired.into());
            }
            if self.tail().continues(position, topics) {
                return Ok(Cursor::after(position));
            }
        }
        blocking.check()?;
        if let Some(position) = generated
            && snapshot.has_generated_id(position, topics)?
        {
            return Ok(Cursor::after(position));
        }
        match snapshot.explicit_position(id, topics)? {
            Some(position) if self.epochs.is_before_loss(position) => Err(Gap::Expired.into()),
            Some(position) => Ok(Cursor::after(position)),
            None => Err(Gap::Unknown.into()),
        }
    }

    pub(crate) fn page(
        &self,
        from: Cursor,
        until: Position,
        topics: &Topics,
        blocking: Blocking,
    ) -> Result<Page, ReadError> {
        let snapshot = self.segments.snapshot();
        let floor = snapshot.floor;
        if from.misses(floor, floor) {
            return Err(Gap::Expired.into());
        }
        // All topics begin at the floor, and from there on nothing may be missing. A reader that
        // crosses a loss has begun after it, with everything that is kept.
        let after = from.after.max(floor);
        let until = until.min(snapshot.end);
        let in_memory = {
            let tail = self.tail();
            if let Ok(page) = tail.page(from.advance(after, floor), until, topics) {
                return Ok(page);
            }
            tail.start(topics)
        };
        blocking.check()?;
        let until = until.min(in_memory);
        let mut page = PageBuilder::default();
        for segment in snapshot.after(after) {
            for topic in topics.iter() {
                page.try_take(segment.messages_of(topic, after, until))?;
            }
            if !page.merge() {
                break;
            }
        }
        Ok(page.finish(from, until.max(after), floor))
    }

    /// Returns the newest messages.
    pub(crate) fn tail(&self) -> MutexGuard<'_, Tail> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The log of a store, for readers and the writer, which closes it and opens it again after a
/// failure.
pub(crate) struct SharedLog {
    /// Read while it is used, so that it is the writer's alone while it is closed and opened.
    log: RwLock<Option<Log>>,
    /// The end of the log when it was closed.
    closed_at: AtomicU64,
}

impl SharedLog {
    pub(crate) fn new(log: Log) -> Self {
        Self {
            log: RwLock::new(Some(log)),
            closed_at: AtomicU64::new(0),
        }
    }

    /// Uses the log; an error if it has failed and could not be opened again.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&Log) -> T) -> Result<T, StoreError> {
        let log = self.log.read().unwrap_or_else(PoisonError::into_inner);
        log.as_ref().map(look).ok_or(StoreError::Stopped)
    }

    /// Returns the position of the newest message.
    pub(crate) fn end(&self) -> Position {
        let end = self.read(|log| log.segments.snapshot().end);
        end.unwrap_or_else(|_| Position(self.closed_at.load(Ordering::Relaxed)))
    }

    /// Closes the log and opens it again, with everything that was acknowledged. Readers wait.
    pub(crate) fn reopen(
        &self,
        settings: &Settings,
        directory: &mut Directory,
    ) -> Result<(), OpenError> {
        let end = self.end();
        self.closed_at.store(end.0, Ordering::Relaxed);
        let mut shared = self.log.write().unwrap_or_else(PoisonError::into_inner);
        drop(shared.take());
        directory.has_reached(end.0);
        match Log::open(settings, directory)? {
            (log, None) => {
                *shared = Some(log);
                Ok(())
            }
            // Those who read have come further.
            (_, Some(_)) => Err(EngineError::Journal.while_opening(directory.path())),
        }
    }
}

fn open_engine(path: &Path) -> Result<Database, EngineError> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let database = Database::builder(path)
        .worker_threads((cores / 2).clamp(1, MOST_WORKERS))
        .cache_size(CACHE_BYTES)
        .max_journaling_size(JOURNAL_BYTES)
        .open()?;
    Ok(database)
}
