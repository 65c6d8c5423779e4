//! A provider with history against a model that is too simple to be wrong: a list of all published
//! messages.
//!
//! Clients come, read, lose their connections, come back with the last id they have seen, if only
//! that of the place where their stream began, or with an older one; the server restarts. A client
//! is given exactly those messages that it has not seen according to the list; if some of them are
//! no longer kept, it is told. A client that begins with everything is given all that is kept of
//! each topic when it comes.
//!
//! [`account`] asks for less and does more: whatever happens to a client, it gets everything or is
//! told.

pub mod account;
mod list;
mod world;

use std::path::Path;

use proptest::{prelude::*, sample::Index};
use sse_core::{Joe, OnGap};

use self::world::World;
use crate::cases::block_on;

/// The provider that is compared with the model.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// Makes Joe, with its history in a folder if that is to survive. Called again after a restart.
    pub open: fn(Settings, &Path) -> Joe,
    /// The history is there after a restart.
    pub survives: bool,
    /// History is dropped message by message. If not, up to an eighth of it at once.
    pub is_exact: bool,
}

/// The room for messages.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// In the queue of a topic.
    pub queue_messages: usize,
    /// In all queues.
    pub total_bytes: usize,
    /// In the history.
    pub messages: usize,
    /// In the history of a topic; only if the subject is exact.
    pub topic_messages: usize,
}

/// An event. Sets of topics are bits; clients and messages are chosen from those there are.
#[derive(Clone, Debug)]
pub enum Step {
    /// Somebody publishes.
    Publish {
        /// To these topics.
        topics: u8,
        /// About this many bytes.
        size: usize,
        /// With an explicit id.
        has_explicit_id: bool,
    },
    /// A client comes for the first time.
    Connect {
        /// For these topics.
        topics: u8,
        /// Wants everything that is kept.
        from_earliest: bool,
    },
    /// A client comes with the id of some message.
    Resume {
        /// For these topics.
        topics: u8,
        /// The message.
        after: Index,
        /// The policy if it cannot continue.
        on_gap: OnGap,
    },
    /// A client comes back with the last id it has seen.
    Reconnect(Index, OnGap),
    /// Reads everything.
    Read(Index),
    /// Reads one piece.
    ReadOnce(Index),
    /// A client loses its connection.
    Disconnect(Index),
    /// The server ends and begins again.
    Restart,
}

/// A run of up to this many steps.
pub fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    let topics = || 1..8_u8;
    let size = prop_oneof![4 => 0..200_usize, 1 => 10_000..70_000_usize];
    let on_gap = || {
        use OnGap::{Refuse, Replay, Silent, Tell};
        prop_oneof![Just(Tell), Just(Replay), Just(Silent), Just(Refuse)]
    };
    let any = any::<Index>;
    let step = prop_oneof![
        24 => (topics(), size, prop::bool::weighted(0.1))
            .prop_map(|(topics, size, has_explicit_id)| Step::Publish { topics, size, has_explicit_id }),
        2 => (topics(), prop::bool::ANY)
            .prop_map(|(topics, from_earliest)| Step::Connect { topics, from_earliest }),
        3 => (topics(), any(), on_gap())
            .prop_map(|(topics, after, on_gap)| Step::Resume { topics, after, on_gap }),
        4 => (any(), on_gap()).prop_map(|(client, on_gap)| Step::Reconnect(client, on_gap)),
        4 => any().prop_map(Step::Read),
        6 => any().prop_map(Step::ReadOnce),
        2 => any().prop_map(Step::Disconnect),
        1 => Just(Step::Restart),
    ];
    prop::collection::vec(step, 1..most)
}

/// Much room and little.
pub fn settings() -> impl Strategy<Value = Settings> {
    let queue_messages = prop_oneof![1..6_usize, Just(1_000)];
    let total_bytes = prop_oneof![Just(20_000_usize), Just(100_000_000)];
    let messages = prop_oneof![8..40_usize, Just(1_000)];
    let topic_messages = prop_oneof![1..8_usize, Just(usize::MAX), Just(usize::MAX)];
    (queue_messages, total_bytes, messages, topic_messages).prop_map(
        |(queue_messages, total_bytes, messages, topic_messages)| Settings {
            queue_messages,
            total_bytes,
            messages,
            topic_messages,
        },
    )
}

/// Takes the steps, and fails if anything differs from the model.
pub fn run(subject: Subject, settings: Settings, folder: &Path, steps: Vec<Step>) {
    block_on(async {
        let mut world = World::new(subject, settings, folder);
        for step in steps {
            world.take(step).await;
        }
        world.end().await;
    });
}
