//! What happens in one process, without sockets: publishing, waking, reading, memory, the wire format.

mod cases;
mod churn;
mod codec;
mod counted;
mod crowd;
mod deliveries;
mod many_topics;
mod measure;
mod memory_core;
mod publish_subscribers;
mod publish_topics;
mod replay;
mod store;

use anyhow::Result;

pub(crate) use self::store::measure as measure_store;

use crate::{
    report::Table,
    scenarios::{Bench, Scenario},
};

/// All of them, in the order of the report. Each works on the caller's thread, but for `churn`, whose
/// threads choose their cores; pin it first.
pub(crate) const SCENARIOS: &[Scenario] = &[
    scenario(
        "publish-topics",
        "publishing to one topic of many",
        |bench| Ok(publish_topics::run(bench)),
    ),
    scenario("publish-subscribers", "everyone on one topic", |bench| {
        Ok(publish_subscribers::run(bench))
    }),
    scenario("many-topics", "many topics for each subscriber", |bench| {
        Ok(many_topics::run(bench))
    }),
    scenario(
        "memory-core",
        "what a subscriber takes, without a connection",
        |bench| Ok(memory_core::run(bench)),
    ),
    scenario("churn", "subscriptions that come and go", |bench| {
        Ok(churn::run(bench))
    }),
    scenario("codec", "events to bytes and back", |bench| {
        Ok(codec::run(bench))
    }),
    scenario("replay", "a long history, read at once", |bench| {
        Ok(replay::run(bench))
    }),
    scenario("store", "a history on disk", store::run),
];

const fn scenario(
    name: &'static str,
    about: &'static str,
    run: fn(&Bench) -> Result<Vec<Table>>,
) -> Scenario {
    Scenario { name, about, run }
}
