//! `OpenError` and `EngineError`: the failures of a store.

use std::{
    error::Error,
    fmt,
    fs::{self, File},
    io::{self, Write},
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

use fjall::LsmError;
use sse_core::replay::{ReadError, StoreError};

use crate::directory::FORMAT;

/// The failure to open a store. The directory is as it was.
///
/// Its text is complete: the error inside a variant is part of it, and no source.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// A file could not be made, read or written.
    #[error("{path}: {error}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The error of the operating system.
        error: io::Error,
    },
    /// Another store has the directory open, here or in another process.
    #[error("{0} is in use by another process or store; close that, or choose another directory")]
    InUse(PathBuf),
    /// There is something in the directory, but no store.
    #[error("{0} holds other files and no store; choose an empty or a new directory")]
    Foreign(PathBuf),
    /// The store was made by another version.
    #[error(
        "{path} is of format {found:?}, this version reads {expected:?}; use the version that \
         made it"
    )]
    Version {
        /// The file that says so.
        path: PathBuf,
        /// The format that it names.
        found: String,
        /// The format that it should name.
        expected: &'static str,
    },
    /// Messages are missing between others.
    #[error(
        "{path} lacks messages {} to {}, between others; restore it from a backup, or open it with \
         `repair`, which drops what was before, or remove it",
        .missing.start(), .missing.end()
    )]
    Incomplete {
        /// The directory.
        path: PathBuf,
        /// Their positions.
        missing: RangeInclusive<u64>,
    },
    /// The files are not as they were written.
    #[error(
        "{path} is damaged ({error}); restore it from a backup, or open it with `repair`, which \
         keeps the files in a directory `set-aside-N` and begins with nothing: clients are then \
         told of a gap"
    )]
    Damaged {
        /// The directory.
        path: PathBuf,
        /// The error of the engine.
        error: Box<dyn Error + Send + Sync>,
    },
}

/// Shows the text: a `main` that returns this prints its `Debug`, and the name of a variant would
/// not say what to do.
impl fmt::Debug for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The failure of the engine, or of its files.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EngineError {
    /// The text of the engine's error has that of its source, which is therefore none of this.
    #[error("{0}")]
    Engine(fjall::Error),
    #[error("the journal is not as it was written")]
    Journal,
    #[error("the message at position {0} is not as it was written")]
    Damaged(u64),
    #[error("{} is missing", .0.display())]
    Lacking(PathBuf),
    #[error("the messages are of format {0:?}")]
    Format(String),
    #[error("{} was removed while the store was open, which takes nothing more", .0.display())]
    Removed(PathBuf),
    #[error("the store has failed before and could not be opened again: {0}")]
    Reopen(String),
}

impl EngineError {
    /// Tells a disk that fails from files that are damaged, when a store does not open.
    pub(crate) fn while_opening(self, path: &Path) -> OpenError {
        let path = path.to_owned();
        match self {
            Self::Engine(fjall::Error::Io(error) | fjall::Error::Storage(LsmError::Io(error)))
                if error.raw_os_error().is_some() && error.kind() != io::ErrorKind::NotFound =>
            {
                OpenError::Io { path, error }
            }
            Self::Format(found) => OpenError::Version {
                path,
                found,
                expected: FORMAT,
            },
            // These may also be what the engine makes of a disk that it cannot write to.
            other @ (Self::Journal | Self::Engine(fjall::Error::Poisoned)) => match probe(&path) {
                Err(error) => OpenError::Io { path, error },
                Ok(()) => OpenError::Damaged {
                    path,
                    error: other.into(),
                },
            },
            other => OpenError::Damaged {
                path,
                error: other.into(),
            },
        }
    }

    /// Returns `true` if the disk has no room.
    pub(crate) fn is_full(&self) -> bool {
        match self {
            Self::Engine(fjall::Error::Io(error) | fjall::Error::Storage(LsmError::Io(error))) => {
                matches!(
                    error.kind(),
                    io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
                )
            }
            _ => false,
        }
    }

    pub(crate) fn is_poisoned(&self) -> bool {
        matches!(self, Self::Engine(fjall::Error::Poisoned))
    }
}

/// Writes a file and removes it, to find out if the disk takes something.
pub(crate) fn probe(directory: &Path) -> io::Result<()> {
    let path = directory.join("probe");
    let written = File::create(&path).and_then(|mut file| {
        file.write_all(&vec![1; PROBE])?;
        file.sync_all()
    });
    let removed = fs::remove_file(path);
    written.and(removed)
}

/// The bytes of a probe: a full disk has place for a few often.
const PROBE: usize = 256 << 10;

impl From<fjall::Error> for EngineError {
    fn from(error: fjall::Error) -> Self {
        Self::Engine(error)
    }
}

impl From<EngineError> for StoreError {
    fn from(error: EngineError) -> Self {
        match error {
            error if error.is_poisoned() => Self::Stopped,
            EngineError::Engine(_) | EngineError::Removed(_) | EngineError::Reopen(_) => {
                Self::Engine(error.into())
            }
            _ => Self::Damaged(error.into()),
        }
    }
}

impl From<EngineError> for ReadError {
    fn from(error: EngineError) -> Self {
        Self::Store(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_in_the_text_and_told_once() {
        let disk = || fjall::Error::Io(io::Error::other("disk full"));
        let stored = StoreError::from(EngineError::from(disk()));
        let opened = EngineError::from(disk()).while_opening(Path::new("events"));
        let errors: [&dyn Error; 2] = [&stored, &opened];
        for error in errors {
            let text = error.to_string();
            assert_eq!(text.matches("disk full").count(), 1, "{text}");
            assert!(error.source().is_none(), "{text}");
        }
    }

    #[test]
    fn kinds_of_failures_are_told_apart() {
        let store = |error: EngineError| StoreError::from(error);
        assert!(matches!(
            store(fjall::Error::Poisoned.into()),
            StoreError::Stopped
        ));
        assert!(matches!(
            store(EngineError::Damaged(7)),
            StoreError::Damaged(_)
        ));
        let disk = fjall::Error::Io(io::Error::other("disk full"));
        assert!(matches!(store(disk.into()), StoreError::Engine(_)));
    }
}
