//! A child publishes, is killed or its disk fails, and everything that it was told is stored must
//! be there. Or the machine ends, and what is not there is told.
//!
//! Each run follows from its seed as far as processes allow. A failure prints it: `CRASH_SEED=7`
//! runs only that one, `CRASH_SEEDS=500` that number of each kind.

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod faults;
mod kills;
mod ledger;
mod power;
mod publisher;

use std::{
    env, fs,
    path::{Path, PathBuf},
    sync::{LazyLock, Mutex},
    thread,
};

/// Removes, once, the files that the last run has left.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("crash");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
});

/// The number of seeds that run at once: they wait for the disk more than they compute.
const WORKERS: usize = 6;

/// Runs something once for each seed, each with a directory of its own.
fn for_seeds(seeds: u64, run: impl Fn(u64, &Path) + Sync) {
    let number = |name| env::var(name).ok().map(|text| text.parse().unwrap());
    let seeds = match number("CRASH_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("CRASH_SEEDS").unwrap_or(seeds),
    };
    let seeds = Mutex::new(seeds);
    let next = || seeds.lock().unwrap().next();
    let work = || {
        while let Some(seed) = next() {
            let directory = tempfile::tempdir_in(&*FOLDER).unwrap().keep();
            let _on_failure = Counterexample(seed, &directory);
            run(seed, &directory);
            fs::remove_dir_all(&directory).unwrap();
        }
    };
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(work);
        }
    });
}

/// Says how a failure is repeated, and keeps the directory.
struct Counterexample<'a>(u64, &'a Path);

impl Drop for Counterexample<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!(
                "CRASH_SEED={} repeats this, {} is what it left",
                self.0,
                self.1.display()
            );
        }
    }
}

/// A small generator of numbers, the same as the publisher's.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        (self.next() >> 33) % limit
    }

    fn index(&mut self, limit: u64) -> usize {
        usize::try_from(self.below(limit)).unwrap()
    }

    /// One of as many magnitudes as there are bits, so that small numbers are as likely as great
    /// ones.
    fn of_any_magnitude(&mut self, bits: u64) -> u64 {
        let limit = 1 << self.below(bits + 1);
        limit + self.below(limit)
    }
}
