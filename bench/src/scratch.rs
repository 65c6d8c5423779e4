//! Directories for what a measurement writes.

use anyhow::{Context as _, Result};
use tempfile::TempDir;

/// An empty directory, which goes with what is returned.
///
/// Beside the program: where temporary files are is often memory and no disk.
pub(crate) fn directory() -> Result<TempDir> {
    let program = std::env::current_exe()?;
    let beside = program.parent().context("the program is in no directory")?;
    tempfile::Builder::new()
        .prefix("store-")
        .tempdir_in(beside)
        .context("cannot make a directory for a store")
}
