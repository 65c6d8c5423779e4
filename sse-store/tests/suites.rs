//! The store against the replayer suite, and Joe on it against those of a provider.

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, LazyLock},
};

use sse_conformance::{overflow, provider, replayer};
use sse_core::{Joe, Overflow, joe::JoeBuilder};
use sse_store::{Durability, Options, Store};

/// Removes, once, the files that the last run has left.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("suites");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
});

/// A directory that nobody else has.
fn fresh() -> PathBuf {
    tempfile::tempdir_in(&*FOLDER).unwrap().keep()
}

fn options() -> Options {
    Store::at(fresh())
}

fn joe(store: Store) -> JoeBuilder {
    Joe::builder().replayer(store)
}

mod replayer_suite {
    const SUBJECT: super::replayer::Subject = || super::Arc::new(super::options().open().unwrap());
    sse_conformance::replayer_suite!(SUBJECT);
}

/// Long cases span seven segments, and next to nothing is read from memory.
mod replayer_suite_in_small_segments {
    const SUBJECT: super::replayer::Subject = || {
        let store = super::options().max_messages(11_600).max_memory(0).open();
        super::Arc::new(store.unwrap())
    };
    sse_conformance::replayer_suite!(SUBJECT);
}

mod replayer_suite_to_disk {
    const SUBJECT: super::replayer::Subject = || {
        let store = super::options().durability(super::Durability::Disk).open();
        super::Arc::new(store.unwrap())
    };
    sse_conformance::replayer_suite!(SUBJECT);
}

mod provider_suite {
    const SUBJECT: super::provider::Subject = super::provider::Subject {
        make: || super::Arc::new(super::joe(super::options().open().unwrap()).build()),
        keeps_history: true,
    };
    sse_conformance::provider_suite!(SUBJECT);
}

mod provider_suite_from_disk {
    const SUBJECT: super::provider::Subject = super::provider::Subject {
        make: || {
            let store = super::options().max_memory(1_000).open().unwrap();
            super::Arc::new(super::joe(store).build())
        },
        keeps_history: true,
    };
    sse_conformance::provider_suite!(SUBJECT);
}

mod catch_up {
    const SUBJECT: super::overflow::Subject = super::overflow::Subject {
        make: |overflow| {
            let store = super::options().max_memory(1_000).open().unwrap();
            let builder = super::joe(store).overflow(overflow);
            super::Arc::new(builder.queue_messages(super::overflow::QUEUE).build())
        },
        overflow: super::Overflow::CatchUp,
        keeps_history: true,
    };
    sse_conformance::overflow_suite!(SUBJECT);
}
