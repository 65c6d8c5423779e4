//! The measurements in one process, without sockets: publishing, waking, reading, memory, the wire
//! format. Each works on the caller's thread, which has to be pinned, except for `churn`, whose
//! threads choose their cores.

#![expect(
    clippy::unnecessary_wraps,
    reason = "scenarios that cannot fail have the type of those that can"
)]

mod codec;
mod deliveries;
mod readers;
mod replay;
mod store;
mod subscribers;
mod topics;

pub(crate) use self::{
    codec::codec,
    deliveries::{many_topics, publish_subscribers},
    replay::replay,
    store::{measure as measure_store, store},
    subscribers::{churn, memory_core},
    topics::publish_topics,
};
