//! What is set before a store is opened.

use std::{
    fmt,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use crate::{error::OpenError, store::Store};

/// What a publish has survived once it is acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Durability {
    /// Nothing but an orderly end of the process: up to 8 KiB are in its memory. For what is not worth a system call.
    Memory,
    /// The end of the process, whatever its cause: the operating system has it. Not the end of the machine, which
    /// loses what was published in the seconds before. The recommended setting.
    #[default]
    Os,
    /// The end of the machine: the disk has it. Many messages share one wait for the disk.
    Disk,
}

/// Sets up a [`Store`].
///
/// History is kept in segments and dropped by the segment, each about an eighth of what the bounds allow: of that, at
/// least three quarters are there.
#[must_use = "options do nothing until the store is opened"]
pub struct Options {
    pub(crate) directory: PathBuf,
    pub(crate) durability: Durability,
    pub(crate) max_messages: u64,
    pub(crate) max_bytes: u64,
    pub(crate) max_age: Option<Duration>,
    pub(crate) max_memory: usize,
    pub(crate) repairs: bool,
    pub(crate) clock: Box<dyn Fn() -> SystemTime + Send + Sync>,
}

impl Options {
    pub(crate) fn new(directory: PathBuf) -> Self {
        Self {
            directory,
            durability: Durability::default(),
            max_messages: u64::MAX,
            max_bytes: 1 << 30,
            max_age: None,
            max_memory: 2 << 20,
            repairs: false,
            clock: Box::new(SystemTime::now),
        }
    }

    /// Sets what an acknowledged publish survives; by default [`Durability::Os`].
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Sets the most messages that are kept; at least 8.
    pub fn max_messages(mut self, messages: u64) -> Self {
        self.max_messages = messages.max(8);
        self
    }

    /// Sets the most bytes of messages that are kept, by default 1 GiB; at least 64 KiB, and in any case the newest
    /// messages. On disk it may be twice as much for a while.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes.max(64 << 10);
        self
    }

    /// Sets how long a message is kept; it may be there for an eighth longer. By default age does not matter.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    /// Sets how many bytes of the newest messages are in memory as well, about; by default 2 MiB. Clients that come
    /// back soon are served from there, without a look at the disk. More than fits into the cache of the processor makes
    /// storing slower.
    pub fn max_memory(mut self, bytes: usize) -> Self {
        self.max_memory = bytes;
        self
    }

    /// Opens a store even if something is missing in its middle, and drops everything before: see [`Store::lost`].
    /// By default that is an [error](OpenError::Incomplete), so that the directory can be restored from a backup.
    pub fn repair(mut self) -> Self {
        self.repairs = true;
        self
    }

    /// Sets the clock, for tests; by default [`SystemTime::now`].
    pub fn clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// Opens the store, or makes it, directory and all.
    ///
    /// Takes in the order of a second for each 100 MB that had not been sorted when the process ended. Waits for the
    /// disk; before the server starts is the place to call it.
    pub fn open(self) -> Result<Store, OpenError> {
        Store::with(self)
    }

    /// Milliseconds since 1970; a clock before that is at its beginning.
    pub(crate) fn now(&self) -> u64 {
        let since = (self.clock)().duration_since(SystemTime::UNIX_EPOCH);
        since.map_or(0, milliseconds)
    }

    /// The age in the same unit.
    pub(crate) fn max_age_millis(&self) -> Option<u64> {
        self.max_age.map(milliseconds)
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("directory", &self.directory)
            .field("durability", &self.durability)
            .field("max_messages", &self.max_messages)
            .field("max_bytes", &self.max_bytes)
            .field("max_age", &self.max_age)
            .field("repairs", &self.repairs)
            .finish_non_exhaustive()
    }
}
