//! `Directory`: the directory of a store, its lock, its format, and the note of its end.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use crate::error::OpenError;

/// The text of the marker: this is a store, in this format.
const FORMAT: &str = "sse-store 1\n";

/// The file that names the format; locked while the store is open. Without its text the store has
/// never been opened to the end.
const MARKER: &str = "sse-store";

/// The file with the position of the newest message, so that the loss of the last ones is noticed.
const END: &str = "end";

/// The time by which the note may be behind.
const NOTE_MILLIS: u64 = 100;

/// The engine's own files.
const ENGINE: &str = "fjall";

#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    marker: File,
    is_new: bool,
    end: File,
    /// A position that is not noted yet.
    pending: Option<u64>,
    /// The time of the last note, in milliseconds.
    noted: u64,
}

impl Directory {
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        fs::create_dir_all(path).map_err(io_error(path))?;
        let marker_path = path.join(MARKER);
        if !marker_path.exists() && !is_empty(path)? {
            return Err(OpenError::Foreign(path.to_owned()));
        }
        let mut marker = open_file(&marker_path)?;
        marker.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => OpenError::InUse(path.to_owned()),
            TryLockError::Error(error) => io_error(&marker_path)(error),
        })?;
        let mut found = String::new();
        let read = (&mut marker).take(64).read_to_string(&mut found);
        read.map_err(io_error(&marker_path))?;
        let is_new = found != FORMAT && FORMAT.starts_with(&found);
        if is_new {
            remove_interrupted(&path.join(ENGINE))?;
        } else if found != FORMAT {
            return Err(OpenError::Version {
                path: marker_path,
                found,
                expected: FORMAT,
            });
        }
        Ok(Self {
            path: path.to_owned(),
            marker,
            is_new,
            end: open_file(&path.join(END))?,
            pending: None,
            noted: 0,
        })
    }

    /// Marks this as a store: everything that belongs to a new one is there.
    pub(crate) fn complete(&mut self) -> Result<(), OpenError> {
        if !self.is_new {
            return Ok(());
        }
        let begun = self.marker.seek(SeekFrom::Start(0));
        let written = begun.and_then(|_| self.marker.write_all(FORMAT.as_bytes()));
        let synced = written.and_then(|()| self.marker.sync_all());
        synced.map_err(io_error(&self.path.join(MARKER)))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn engine(&self) -> PathBuf {
        self.path.join(ENGINE)
    }

    /// Returns the position that the store reached, at least. `None` if that is not known: it is
    /// new, or the machine ended before the file was written.
    pub(crate) fn end(&mut self) -> Option<u64> {
        let mut line = String::new();
        self.end.seek(SeekFrom::Start(0)).ok()?;
        self.end.read_to_string(&mut line).ok()?;
        line.strip_suffix('\n')?.parse().ok()
    }

    /// Notes the position that the store reached, but not for each message of many: a note takes as
    /// long as half a message.
    pub(crate) fn set_end(&mut self, position: u64, now: u64) {
        self.pending = Some(position);
        if now.abs_diff(self.noted) >= NOTE_MILLIS {
            self.noted = now;
            self.note();
        }
    }

    fn note(&mut self) {
        let Some(position) = self.pending.take() else {
            return;
        };
        // Of one length, so that a line replaces the line before. If this fails, the note is
        // behind, and not the store.
        let line = format!("{position:020}\n");
        let begun = self.end.seek(SeekFrom::Start(0));
        let _ = begun.and_then(|_| self.end.write_all(line.as_bytes()));
    }
}

/// Releases the lock: a process that is being started has inherited it, and must not hold it.
impl Drop for Directory {
    fn drop(&mut self) {
        self.note();
        let _ = self.marker.unlock();
    }
}

/// Removes the engine's files of a store whose creation was interrupted.
fn remove_interrupted(engine: &Path) -> Result<(), OpenError> {
    match fs::remove_dir_all(engine) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error(engine)(error)),
        _ => Ok(()),
    }
}

fn is_empty(path: &Path) -> Result<bool, OpenError> {
    let mut entries = fs::read_dir(path).map_err(io_error(path))?;
    Ok(entries.next().is_none())
}

fn open_file(path: &Path) -> Result<File, OpenError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    options.open(path).map_err(io_error(path))
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> OpenError {
    let path = path.to_owned();
    |error| OpenError::Io { path, error }
}
