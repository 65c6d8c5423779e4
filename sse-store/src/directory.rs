//! `Directory`: the directory of a store, its lock, its format, and the note of how far it got.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use crate::{
    error::{EngineError, OpenError},
    files::{Condition, EngineFiles},
    note::{Note, NoteFile, State},
    writer::Durability,
};

/// The text of the marker: this is a store, in this format.
pub(crate) const FORMAT: &str = "sse-store 2\n";

/// The file that names the format; locked while the store is open. Without its text the store has
/// never been opened to the end, or the file is damaged.
const MARKER: &str = "sse-store";

/// The file with the [`Note`], so that the loss of the newest messages is noticed.
const END: &str = "end";

/// The file with the name of the machine's run in which the store was opened last.
const BOOT: &str = "boot";

/// The name that Linux gives to the time between two starts of the machine.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// The engine's own files.
const ENGINE: &str = "fjall";

/// The beginning of the names of directories with an engine's files that are kept for the user.
const SET_ASIDE: &str = "set-aside-";

/// The directory with the engine's files as they were, while the store is being opened.
const OPENING: &str = "opening";

#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    marker: File,
    /// The marker has its text.
    is_complete: bool,
    /// Nothing was ever stored here.
    is_new: bool,
    /// The note of the run before, until this one begins.
    before: Option<Note>,
    note: Option<NoteFile>,
    /// The directory of the engine, which shows if it is still there.
    engine: Option<File>,
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
        let mut found = Vec::new();
        let read = (&mut marker).take(64).read_to_end(&mut found);
        read.map_err(io_error(&marker_path))?;
        if !FORMAT.as_bytes().starts_with(&found) {
            return Err(OpenError::Version {
                path: marker_path,
                found: String::from_utf8_lossy(&found).into_owned(),
                expected: FORMAT,
            });
        }
        Ok(Self {
            path: path.to_owned(),
            marker,
            is_complete: found == FORMAT.as_bytes(),
            is_new: false,
            before: read_note(&path.join(END))?,
            note: None,
            engine: None,
        })
    }

    /// Looks at the engine's files before the engine does, and copies them: it changes them before
    /// it finds out that it cannot read them all.
    pub(crate) fn examine(&mut self) -> Result<Option<SetAside>, OpenError> {
        SetAside::clear(&self.path)?;
        let files = EngineFiles(self.engine());
        let has_ended = self.before.is_some_and(|note| note.state == State::Ended);
        let condition = files.examine(has_ended).map_err(io_error(&files.0))?;
        let lacking = |path| EngineError::Lacking(path).while_opening(&self.path);
        match condition {
            Condition::Empty if self.is_complete => Err(lacking(files.0)),
            Condition::Empty => {
                self.is_new = true;
                remove(&files.0).map_err(io_error(&files.0))?;
                Ok(None)
            }
            Condition::Whole | Condition::Doubtful => {
                let is_for_user = condition == Condition::Doubtful;
                let aside = SetAside::copy(&self.path, is_for_user)?;
                match files.cut() {
                    Ok(()) => Ok(Some(aside)),
                    Err(error) => {
                        aside.undo()?;
                        Err(io_error(&files.0)(error))
                    }
                }
            }
            Condition::Lacking(path) => Err(lacking(path)),
        }
    }

    /// Sets the engine's files aside, so that it begins with nothing.
    pub(crate) fn set_aside(&self) -> Result<SetAside, OpenError> {
        let aside = SetAside::begin(&self.path)?;
        let renamed = fs::rename(self.engine(), aside.engine());
        match renamed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(io_error(&self.engine())(error))
            }
            _ => Ok(aside),
        }
    }

    /// Marks this as a store: everything that belongs to a new one is there.
    pub(crate) fn complete(&mut self) -> Result<(), OpenError> {
        if self.is_complete {
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

    /// Returns the position that the store reached before it was opened, at least. `None` if that
    /// is not known: it is new, or the machine ended before the note was written.
    pub(crate) fn reached(&self) -> Option<u64> {
        self.before.map(|note| note.position)
    }

    /// Returns the time of the store when it was noted last.
    pub(crate) fn time(&self) -> u64 {
        self.before.map_or(0, |note| note.time)
    }

    /// Returns `true` if messages may be lost that were acknowledged before the store was opened:
    /// it did not end in order, and its messages were where such an end takes them.
    pub(crate) fn may_have_lost(&self, end: u64) -> bool {
        match self.before.map(|note| note.state) {
            Some(State::Ended | State::Open(Durability::Disk)) => false,
            Some(State::Open(Durability::Os)) => !is_same_boot(&self.path.join(BOOT)),
            Some(State::Open(Durability::Memory)) => true,
            // Its creation may have been interrupted.
            None => !self.is_new && (self.is_complete || end > 0),
        }
    }

    /// Notes that the store is open and can lose what its durability does not cover.
    pub(crate) fn begin(
        &mut self,
        position: u64,
        time: u64,
        durability: Durability,
    ) -> Result<(), OpenError> {
        let boot = self.path.join(BOOT);
        let written = File::create(&boot).and_then(|mut file| {
            file.write_all(boot_id().unwrap_or_default().as_bytes())?;
            file.sync_all()
        });
        written.map_err(io_error(&boot))?;
        let note = Note {
            position,
            time,
            state: State::Open(durability),
        };
        let end = self.path.join(END);
        let file = open_file(&end)?;
        self.note = Some(NoteFile::begin(file, note).map_err(io_error(&end))?);
        if cfg!(unix) {
            let engine = self.engine();
            self.engine = Some(File::open(&engine).map_err(io_error(&engine))?);
        }
        sync_directory(&self.path)
    }

    /// Returns `false` if the directory, or that of the engine, was removed: the operating system
    /// goes on taking what is written to files that have no name any more.
    pub(crate) fn is_there(&self) -> bool {
        [Some(&self.marker), self.engine.as_ref()]
            .into_iter()
            .flatten()
            .all(has_name)
    }

    /// Notes that the store has come to a position and is closed, to be opened again at once.
    pub(crate) fn has_reached(&mut self, position: u64) {
        self.before = self.note.as_ref().map(|note| Note {
            position,
            state: State::Ended,
            ..note.note()
        });
    }

    /// Notes how far the store got, a little later.
    pub(crate) fn set_end(&mut self, position: u64, time: u64) {
        if let Some(note) = &mut self.note {
            note.set(position, time);
        }
    }

    /// Notes, on the disk, if the disk has everything.
    pub(crate) fn set_state(&mut self, state: State, time: u64) -> io::Result<()> {
        match &mut self.note {
            Some(note) => note.set_state(state, time),
            None => Ok(()),
        }
    }

    pub(crate) fn has_ended(&self) -> bool {
        let note = self.note.as_ref().map(NoteFile::note);
        note.is_some_and(|note| note.state == State::Ended)
    }
}

/// Releases the lock: a process that is being started has inherited it, and must not hold it.
impl Drop for Directory {
    fn drop(&mut self) {
        let _ = self.marker.unlock();
    }
}

/// A directory with an engine's files as they were found.
#[derive(Debug)]
pub(crate) struct SetAside {
    path: PathBuf,
    /// The place of the engine's files in use.
    engine: PathBuf,
    /// The user is to have it, because the engine removes something.
    is_for_user: bool,
}

impl SetAside {
    /// Makes an empty directory whose name no other has.
    fn begin(store: &Path) -> Result<Self, OpenError> {
        let mut number = 1_u64;
        loop {
            let path = store.join(format!("{SET_ASIDE}{number}"));
            match fs::create_dir(&path) {
                Ok(()) => {
                    return Ok(Self {
                        path,
                        engine: store.join(ENGINE),
                        is_for_user: true,
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(io_error(&path)(error)),
            }
        }
    }

    /// Copies the engine's files, for the user or until the store is open.
    fn copy(store: &Path, is_for_user: bool) -> Result<Self, OpenError> {
        let aside = if is_for_user {
            Self::begin(store)?
        } else {
            Self {
                path: store.join(OPENING),
                engine: store.join(ENGINE),
                is_for_user,
            }
        };
        let copied = EngineFiles(aside.engine.clone()).copy_to(&aside.engine());
        let copied = copied.and_then(|()| if is_for_user { aside.sync() } else { Ok(()) });
        if let Err(error) = copied {
            let _ = remove(&aside.path);
            return Err(io_error(&aside.path)(error));
        }
        Ok(aside)
    }

    /// Removes what an opening has left that was interrupted.
    fn clear(store: &Path) -> Result<(), OpenError> {
        let (engine, opening) = (store.join(ENGINE), store.join(OPENING));
        // Interrupted while the files were put back.
        let copy = opening.join(ENGINE);
        if !engine.exists() && copy.exists() {
            fs::rename(copy, engine).map_err(io_error(&opening))?;
        }
        remove(&opening).map_err(io_error(&opening))
    }

    /// Returns the directory if the user is to have it, and else removes it: the store is open.
    pub(crate) fn keep(self) -> Result<Option<PathBuf>, OpenError> {
        if self.is_for_user {
            return Ok(Some(self.path));
        }
        remove(&self.path).map_err(io_error(&self.path))?;
        Ok(None)
    }

    fn engine(&self) -> PathBuf {
        self.path.join(ENGINE)
    }

    fn sync(&self) -> io::Result<()> {
        EngineFiles(self.engine()).sync()
    }

    /// Puts the files back as they were. They are never in no place.
    pub(crate) fn undo(self) -> Result<(), OpenError> {
        let Some(store) = self.engine.parent() else {
            return Ok(());
        };
        let opening = store.join(OPENING);
        let undo = || {
            self.sync()?;
            if self.path != opening {
                fs::rename(&self.path, &opening)?;
            }
            fs::rename(&self.engine, opening.join("changed"))?;
            fs::rename(opening.join(ENGINE), &self.engine)?;
            fs::remove_dir_all(&opening)
        };
        undo().map_err(io_error(&self.path))
    }
}

/// Removes a directory, if it is there.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn is_empty(path: &Path) -> Result<bool, OpenError> {
    let mut entries = fs::read_dir(path).map_err(io_error(path))?;
    Ok(entries.next().is_none())
}

fn read_note(path: &Path) -> Result<Option<Note>, OpenError> {
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        opened => opened
            .and_then(|mut file| NoteFile::read(&mut file))
            .map_err(io_error(path)),
    }
}

/// Returns `true` if the machine has not ended since this file was written: what the operating
/// system had then, it still has.
fn is_same_boot(path: &Path) -> bool {
    let before = fs::read_to_string(path).ok();
    before.is_some() && before == boot_id()
}

/// Returns the name of this run of the machine, if the operating system tells it.
fn boot_id() -> Option<String> {
    fs::read_to_string(BOOT_ID).ok()
}

#[cfg(unix)]
fn has_name(file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;

    file.metadata().is_ok_and(|metadata| metadata.nlink() > 0)
}

/// Elsewhere an open file cannot be removed.
#[cfg(not(unix))]
fn has_name(_: &File) -> bool {
    true
}

/// Waits until the disk has the names in a directory, where a directory can be opened for that.
fn sync_directory(path: &Path) -> Result<(), OpenError> {
    if cfg!(unix) {
        let synced = File::open(path).and_then(|directory| directory.sync_all());
        synced.map_err(io_error(path))?;
    }
    Ok(())
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
