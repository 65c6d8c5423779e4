//! Why a directory could not be opened.

use std::{error::Error, fmt, io, ops::RangeInclusive, path::PathBuf};

/// Why a store could not be opened. The directory is as it was.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// A file could not be made, read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// Another store has the directory open, here or in another process.
    #[error("{0} is in use by another process or store; close that, or choose another directory")]
    InUse(PathBuf),
    /// There is something in the directory, but no store.
    #[error("{0} holds other files and no store; choose an empty or a new directory")]
    Foreign(PathBuf),
    /// The store was made by another version.
    #[error(
        "{path} is of format {found:?}, this version reads {expected:?}; use the version that made it"
    )]
    Version {
        /// The file that says so.
        path: PathBuf,
        /// What it says.
        found: String,
        /// What it should say.
        expected: &'static str,
    },
    /// Messages are missing between others.
    #[error(
        "{path} lacks messages {} to {}, between others; restore it from a backup, or open it with `repair`, which \
         drops what was before, or remove it", .missing.start(), .missing.end()
    )]
    Incomplete {
        /// The directory.
        path: PathBuf,
        /// Their positions.
        missing: RangeInclusive<u64>,
    },
    /// The files are not as they were written.
    #[error(
        "{path} is damaged ({source}); restore it from a backup, or remove it: clients are then told of a gap"
    )]
    Damaged {
        /// The directory.
        path: PathBuf,
        /// What the engine says.
        source: Box<dyn Error + Send + Sync>,
    },
}

/// The text: a `main` that returns it prints its `Debug`, and the name of a variant would not say
/// what to do.
impl fmt::Debug for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
