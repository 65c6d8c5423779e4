//! `Log`: the messages as the engine has them, from when it is opened until it is closed.

use std::{
    num::NonZero,
    panic::{self, AssertUnwindSafe},
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
};

use fjall::Database;
use sse_core::replay::{Position, Tail};

use crate::{
    directory::Directory,
    epochs::{Epochs, Runs},
    error::{EngineError, OpenError},
    segments::{Bounds, Segments},
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
        let segments = Segments::open(database.clone(), settings.bounds.clone());
        let mut segments = segments.map_err(damaged)?;
        let Position(end) = segments.snapshot().end;
        let reached = directory.reached().filter(|reached| *reached > end);
        let mut lost = match reached {
            Some(reached) => Some(Lost::Newest(end + 1..=reached)),
            None => directory.may_have_lost().then_some(Lost::Perhaps(end)),
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

    /// Returns the newest messages.
    pub(crate) fn tail(&self) -> MutexGuard<'_, Tail> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
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
