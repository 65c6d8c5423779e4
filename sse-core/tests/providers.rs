//! Joe against the provider and overflow suites, with and without history and behind pointers.

use std::sync::Arc;

use sse_conformance::{overflow, provider::Subject};
use sse_core::{FiniteReplayer, Joe, Overflow, provider::Provider};

fn with_history() -> Joe {
    Joe::builder().replayer(FiniteReplayer::new(10_000)).build()
}

const WITH_HISTORY: Subject = Subject {
    make: || Arc::new(with_history()),
    keeps_history: true,
};

const WITHOUT_HISTORY: Subject = Subject {
    make: || Arc::new(Joe::new()),
    keeps_history: false,
};

const BEHIND_POINTERS: Subject = Subject {
    make: || {
        let boxed: Box<dyn Provider> = Box::new(with_history());
        Arc::new(Arc::new(boxed))
    },
    keeps_history: true,
};

/// A provider whose readers fall out of the queue all the time and go on from the history.
const WITH_TINY_QUEUES: Subject = Subject {
    make: || {
        let replayer = FiniteReplayer::new(10_000);
        Arc::new(Joe::builder().replayer(replayer).queue_messages(2).build())
    },
    keeps_history: true,
};

mod joe_with_history {
    sse_conformance::provider_suite!(super::WITH_HISTORY);
}

mod joe_without_history {
    sse_conformance::provider_suite!(super::WITHOUT_HISTORY);
}

mod joe_behind_pointers {
    sse_conformance::provider_suite!(super::BEHIND_POINTERS);
}

mod joe_with_tiny_queues {
    sse_conformance::provider_suite!(super::WITH_TINY_QUEUES);
}

const fn too_slow(overflow: Overflow) -> overflow::Subject {
    overflow::Subject {
        make: |overflow| {
            let builder = Joe::builder().replayer(FiniteReplayer::new(20_000));
            Arc::new(
                builder
                    .queue_messages(overflow::QUEUE)
                    .overflow(overflow)
                    .build(),
            )
        },
        overflow,
        keeps_history: true,
    }
}

const fn too_slow_without_history(overflow: Overflow) -> overflow::Subject {
    overflow::Subject {
        make: |overflow| {
            let builder = Joe::builder().queue_messages(overflow::QUEUE);
            Arc::new(builder.overflow(overflow).build())
        },
        overflow,
        keeps_history: false,
    }
}

mod catch_up {
    sse_conformance::overflow_suite!(super::too_slow(super::Overflow::CatchUp));
}

mod catch_up_without_history {
    sse_conformance::overflow_suite!(super::too_slow_without_history(super::Overflow::CatchUp));
}

mod disconnect {
    sse_conformance::overflow_suite!(super::too_slow(super::Overflow::Disconnect));
}

mod disconnect_without_history {
    sse_conformance::overflow_suite!(super::too_slow_without_history(super::Overflow::Disconnect));
}

mod skip {
    sse_conformance::overflow_suite!(super::too_slow(super::Overflow::Skip));
}

mod skip_without_history {
    sse_conformance::overflow_suite!(super::too_slow_without_history(super::Overflow::Skip));
}
