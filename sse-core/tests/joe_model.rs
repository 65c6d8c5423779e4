//! Joe against a model that is too simple to be wrong: a list of everything that was published.

use std::path::Path;

use proptest::prelude::*;
use sse_conformance::model::{self, Settings, Subject, account};
use sse_core::{FiniteReplayer, Joe, joe::JoeBuilder};

const SUBJECT: Subject = Subject {
    open,
    survives: false,
    is_exact: true,
};

const OF_ACCOUNTS: account::Subject = account::Subject {
    open: open_for_accounts,
    survives: false,
};

fn open(settings: Settings, _: &Path) -> Joe {
    builder(settings).replayer(history(settings)).build()
}

fn open_for_accounts(settings: &account::Settings, _: &Path) -> Joe {
    let mut joe = builder(settings.bounds).overflow(settings.overflow);
    if settings.keeps_history {
        joe = joe.replayer(history(settings.bounds));
    }
    joe.build()
}

fn builder(settings: Settings) -> JoeBuilder {
    Joe::builder()
        .queue_messages(settings.queue_messages)
        .queue_bytes(16 << 20)
        .total_bytes(settings.total_bytes)
}

fn history(settings: Settings) -> FiniteReplayer {
    let history = FiniteReplayer::new(settings.messages);
    history.max_topic_messages(settings.topic_messages)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn every_client_gets_exactly_what_was_published_for_it(
        settings in model::settings(),
        steps in model::steps(120),
    ) {
        model::run(SUBJECT, settings, Path::new("nowhere"), steps);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(account::seeds(1_000)))]

    #[test]
    fn nothing_is_lost_in_silence(
        settings in account::settings(),
        steps in account::steps(120),
    ) {
        account::run(OF_ACCOUNTS, settings, Path::new("nowhere"), steps);
    }
}
