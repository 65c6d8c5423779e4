//! Joe on a store against a model that is too simple to be wrong, with restarts.

use std::{path::Path, time::Instant};

use proptest::prelude::*;
use sse_conformance::{
    DEADLINE,
    model::{self, Settings, Subject, account},
};
use sse_core::{Joe, joe::JoeBuilder};
use sse_store::{OpenError, Store};

const SUBJECT: Subject = Subject {
    open,
    survives: true,
    is_exact: false,
};

const OF_ACCOUNTS: account::Subject = account::Subject {
    open: open_for_accounts,
    survives: true,
};

fn open(settings: Settings, folder: &Path) -> Joe {
    builder(settings, folder).build()
}

fn open_for_accounts(settings: &account::Settings, folder: &Path) -> Joe {
    let joe = builder(settings.bounds, folder);
    joe.overflow(settings.overflow).build()
}

fn builder(settings: Settings, folder: &Path) -> JoeBuilder {
    Joe::builder()
        .replayer(reopen(settings, folder))
        .queue_messages(settings.queue_messages)
        .queue_bytes(16 << 20)
        .total_bytes(settings.total_bytes)
}

/// A reader may not have noticed yet that the last one was dropped.
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

/// Segments of at least five messages: to make and to drop one takes the disk longer than anything
/// else here.
fn settings() -> impl Strategy<Value = Settings> {
    model::settings().prop_map(|settings| Settings {
        messages: settings.messages * 5,
        ..settings
    })
}

/// The same, and no bound for each topic.
fn settings_for_accounts() -> impl Strategy<Value = account::Settings> {
    account::settings().prop_map(|settings| account::Settings {
        bounds: Settings {
            messages: settings.bounds.messages * 2,
            topic_messages: usize::MAX,
            ..settings.bounds
        },
        keeps_history: true,
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(account::seeds(24)))]

    #[test]
    fn nothing_is_lost_in_silence(
        settings in settings_for_accounts(),
        steps in account::steps(200),
    ) {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        account::run(OF_ACCOUNTS, settings, folder.path(), steps);
    }
}
