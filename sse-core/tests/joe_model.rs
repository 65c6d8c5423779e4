//! Joe against a model that is too simple to be wrong: a list of everything that was published.

use std::path::Path;

use proptest::prelude::*;
use sse_conformance::model::{self, Settings, Subject};
use sse_core::{FiniteReplayer, Joe};

const SUBJECT: Subject = Subject {
    open,
    survives: false,
    is_exact: true,
};

fn open(settings: Settings, _: &Path) -> Joe {
    let history = FiniteReplayer::new(settings.messages).unwrap();
    Joe::builder()
        .replayer(history.max_topic_messages(settings.topic_messages))
        .queue_messages(settings.queue_messages)
        .queue_bytes(16 << 20)
        .total_bytes(settings.total_bytes)
        .build()
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
