//! Joe on a store against a model that is too simple to be wrong, with restarts.

use std::{path::Path, time::Instant};

use proptest::prelude::*;
use sse_conformance::{
    DEADLINE,
    model::{self, Settings, Subject},
};
use sse_core::Joe;
use sse_store::{OpenError, Store};

const SUBJECT: Subject = Subject {
    open,
    survives: true,
    is_exact: false,
};

fn open(settings: Settings, folder: &Path) -> Joe {
    Joe::builder()
        .replayer(reopen(settings, folder))
        .queue_messages(settings.queue_messages)
        .queue_bytes(16 << 20)
        .total_bytes(settings.total_bytes)
        .build()
}

/// Whoever was reading when the last one was dropped may not have noticed yet.
fn reopen(settings: Settings, folder: &Path) -> Store {
    let begun = Instant::now();
    loop {
        let messages = u64::try_from(settings.messages).unwrap();
        // Some of it is in memory.
        match Store::at(folder)
            .max_messages(messages)
            .max_memory(50_000)
            .open()
        {
            Ok(store) => return store,
            Err(OpenError::InUse(_)) if begun.elapsed() < DEADLINE => std::thread::yield_now(),
            Err(error) => panic!("{error}"),
        }
    }
}

/// Segments of at least five messages: to make and to drop one takes the disk longer than anything else here.
fn settings() -> impl Strategy<Value = Settings> {
    model::settings().prop_map(|settings| Settings {
        messages: settings.messages * 5,
        ..settings
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_client_gets_exactly_what_was_published_for_it(
        settings in settings(),
        steps in model::steps(250),
    ) {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        model::run(SUBJECT, settings, folder.path(), steps);
    }
}
