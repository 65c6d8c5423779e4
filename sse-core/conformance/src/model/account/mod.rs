//! The account: nothing is lost in silence, whatever happens to a client and its connections.
//!
//! Clients do what the `EventSource` of a browser does. They keep the last event id, even that of a
//! block without data; they are cut off at any moment, before the first byte, between two pieces
//! and in the middle of one; they come back with the id they have. Some come with an id that is not
//! theirs. Readers are slow, queues and history are short, streams are asked to end, the server
//! restarts.
//!
//! Each client keeps an account of the messages that it gets. The truth is the list of all
//! published messages. At the end all clients come back, one more message is published to all, and
//! all read up to it. Then this holds:
//!
//! * **Once and in order.** From its first connection on, a client has got every message to one of
//!   its topics, each once, in the order of publishing;
//! * **or it was told**, between the two neighbours that it has got, that something is missing: by
//!   an `event: gap`, or by the refusal of its connection. That covers messages published
//!   before the client subscribed, or in the middle of a stream before it was told, and none after
//!   it. Each of several topics loses messages separately: the rest of one may come between the gap
//!   and a message after the lost ones of another.
//! * **Nobody is misled**: an id that stands for nothing here, or for the place of other topics,
//!   is always a gap. Where nothing is dropped, an id that stands for something never is.
//! * **A stream that ends because it was asked to** has delivered all that was accepted before.
//!   Only a provider whose last handle is gone takes its history with it, and a reader that has
//!   overflowed is not given the rest: its client is told when it comes back.
//!
//! The *first connection* is the first whose opening has arrived: the first piece, with the id of
//! the place where the stream begins. A client that was cut off before has nothing to come back
//! with. It counts as new, and messages published meanwhile are not owed to it. The same goes for a
//! client that was refused: it loads the current state and comes without an id.
//!
//! A client that begins with everything that is kept is owed older messages, too: of each topic as
//! many as its history keeps for certain. The same goes for one that was told of a gap and has
//! everything [replayed](OnGap::Replay), including messages that it has already got.
//!
//! A stream continues after a gap in its middle if its reader [skips](Overflow::Skip) or has begun
//! with everything; any other ends, and its client is told when it comes back. A client with
//! [`OnGap::Silent`] is told nothing in its stream: there the [outcome](sse_core::resume::Outcome)
//! of the connection counts, and a gap in the middle is what it has asked for.

mod client;
mod ledger;
mod server;
mod truth;

use std::{env, path::Path};

use proptest::{prelude::*, sample::Index};
use sse_core::{Joe, OnGap, Overflow};

use self::{client::Client, server::Server};
use super::Settings as Bounds;
use crate::cases::block_on;

/// The server under test.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// Makes Joe, with its history in a folder if that is to survive. Called again after a restart.
    pub open: fn(&Settings, &Path) -> Joe,
    /// The history is there after a restart.
    pub survives: bool,
}

/// A server's settings.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Room in the queues and in the history.
    pub bounds: Bounds,
    /// There is a history.
    pub keeps_history: bool,
    /// The policy for readers that are too slow.
    pub overflow: Overflow,
    /// Streams tell their clients when to come back.
    pub spreads: bool,
}

/// A number of messages that no run reaches.
const MANY: usize = 1_000;

impl Settings {
    /// Returns whether nothing is ever dropped from the history.
    fn keeps_everything(&self) -> bool {
        self.keeps_history && self.bounds.messages.min(self.bounds.topic_messages) >= MANY
    }

    /// Returns how many messages a history keeps at least: it may drop an eighth at once.
    fn least_kept(&self) -> usize {
        let most = self.bounds.messages;
        most - 2 * (most / 8)
    }

    /// Returns whether no reader ever falls out of its queue.
    fn has_room(&self) -> bool {
        self.bounds.queue_messages >= MANY && self.bounds.total_bytes >= MANY << 15
    }

    /// Returns whether no stream ever ends by itself.
    fn delivers_everything(&self) -> bool {
        let catches_up = self.overflow == Overflow::CatchUp && self.keeps_everything();
        catches_up || self.has_room() && (self.keeps_everything() || !self.keeps_history)
    }
}

/// A client's wishes.
#[derive(Clone, Copy, Debug)]
pub struct Wishes {
    /// The topics, as bits.
    topics: u8,
    /// It begins with everything that is kept.
    from_earliest: bool,
    on_gap: OnGap,
}

/// A kind of message. Those with data are counted, the others are there to get in the way.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Data.
    Data,
    /// Data with an explicit id.
    ExplicitId,
    /// Data with an empty id, which counts as none.
    EmptyId,
    /// An explicit id and no data.
    IdOnly,
    /// A comment and nothing else.
    Comment,
    /// A reconnection time and nothing else.
    Retry,
}

/// An id that a client has not got from its own stream.
#[derive(Clone, Debug)]
pub enum Forgery {
    /// An id of a run that never existed.
    Invented(u16),
    /// Bytes that are not text.
    Unreadable,
    /// The id of any message or place, even of one before a restart.
    Given(Index),
    /// The id that another client has now.
    Stolen(Index),
    /// The id that it has, with a position far beyond the end.
    Beyond,
}

/// An event. Clients are chosen from those there are.
#[derive(Clone, Debug)]
pub enum Step {
    /// Somebody publishes.
    Publish {
        /// To these topics, as bits.
        topics: u8,
        /// A message of this kind.
        kind: Kind,
        /// This many bytes besides the number.
        size: usize,
    },
    /// A client comes for the first time.
    Come(Wishes),
    /// A client connects, if it is not connected.
    Connect(Index),
    /// A client reads one piece; it connects first, as above.
    Read(Index),
    /// A client reads everything that is there.
    ReadAll(Index),
    /// A connection is cut between two pieces.
    Cut(Index),
    /// A connection is cut in the middle of the next piece, after a part of its bytes.
    CutWithin(Index, Index),
    /// A client comes with an id that is not its own.
    Forge(Index, Forgery),
    /// A stream is asked to end; its client reads to the end, now or later.
    End(Index, bool),
    /// The server ends and begins again.
    Restart {
        /// The last handle is dropped; else it is shut down.
        by_drop: bool,
        /// The clients read the rest; else they are cut off.
        reads_on: bool,
    },
}

const TOPICS: [&str; 4] = ["a", "b", "c", "d"];

const ALL: u8 = (1 << TOPICS.len()) - 1;

/// The names that bits stand for.
fn names(topics: u8) -> Vec<&'static str> {
    bits(topics).map(|n| TOPICS[n]).collect()
}

fn bits(topics: u8) -> impl Iterator<Item = usize> {
    (0..TOPICS.len()).filter(move |n| topics & (1 << n) != 0)
}

/// Returns the number of runs: the usual one, or that of `ACCOUNT_SEEDS`.
pub fn seeds(usual: u32) -> u32 {
    let more = env::var("ACCOUNT_SEEDS").ok();
    more.map_or(usual, |seeds| {
        seeds.parse().expect("ACCOUNT_SEEDS is a number")
    })
}

/// The settings of a server: all policies, much room and little.
pub fn settings() -> impl Strategy<Value = Settings> {
    let overflow = prop_oneof![
        Just(Overflow::CatchUp),
        Just(Overflow::Disconnect),
        Just(Overflow::Skip),
    ];
    let keeps_history = prop::bool::weighted(0.75);
    (super::settings(), keeps_history, overflow, any::<bool>()).prop_map(
        |(bounds, keeps_history, overflow, spreads)| Settings {
            bounds,
            keeps_history,
            overflow,
            spreads,
        },
    )
}

/// A run of up to this many steps.
pub fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    let any = any::<Index>;
    let step = prop_oneof![
        48 => (1..=ALL, kind(), size())
            .prop_map(|(topics, kind, size)| Step::Publish { topics, kind, size }),
        6 => wishes().prop_map(Step::Come),
        10 => any().prop_map(Step::Connect),
        24 => any().prop_map(Step::Read),
        8 => any().prop_map(Step::ReadAll),
        8 => any().prop_map(Step::Cut),
        8 => (any(), any()).prop_map(|(client, place)| Step::CutWithin(client, place)),
        3 => (any(), forgery()).prop_map(|(client, forgery)| Step::Forge(client, forgery)),
        4 => (any(), prop::bool::ANY).prop_map(|(client, reads_on)| Step::End(client, reads_on)),
        2 => (prop::bool::ANY, prop::bool::ANY)
            .prop_map(|(by_drop, reads_on)| Step::Restart { by_drop, reads_on }),
    ];
    prop::collection::vec(step, 1..most)
}

/// A line, or more than fits into a piece together with another.
fn size() -> impl Strategy<Value = usize> {
    prop_oneof![2 => 0..300_usize, 1 => 22_000..40_000_usize]
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        12 => Just(Kind::Data),
        2 => Just(Kind::ExplicitId),
        1 => Just(Kind::EmptyId),
        1 => Just(Kind::IdOnly),
        1 => Just(Kind::Comment),
        1 => Just(Kind::Retry),
    ]
}

fn wishes() -> impl Strategy<Value = Wishes> {
    use OnGap::{Refuse, Replay, Silent, Tell};
    let topics = prop_oneof![(0..TOPICS.len()).prop_map(|n| 1 << n), 1..=ALL];
    let on_gap = prop_oneof![Just(Tell), Just(Replay), Just(Silent), Just(Refuse)];
    (topics, any::<bool>(), on_gap).prop_map(|(topics, from_earliest, on_gap)| Wishes {
        topics,
        from_earliest,
        on_gap,
    })
}

fn forgery() -> impl Strategy<Value = Forgery> {
    prop_oneof![
        1 => (0..100_u16).prop_map(Forgery::Invented),
        1 => Just(Forgery::Unreadable),
        3 => any::<Index>().prop_map(Forgery::Given),
        3 => any::<Index>().prop_map(Forgery::Stolen),
        2 => Just(Forgery::Beyond),
    ]
}

/// Takes the steps, and fails if an account does not add up.
pub fn run(subject: Subject, settings: Settings, folder: &Path, steps: Vec<Step>) {
    block_on(async {
        let mut world = World {
            server: Server::new(subject, settings, folder),
            clients: Vec::new(),
        };
        for step in steps {
            world.take(step).await;
        }
        world.end().await;
    });
}

/// A server and its clients.
struct World {
    server: Server,
    clients: Vec<Client>,
}

impl World {
    async fn take(&mut self, step: Step) {
        match step {
            Step::Publish { topics, kind, size } => self.server.publish(topics, kind, size).await,
            Step::Come(wishes) => self.clients.push(Client::new(wishes)),
            Step::Restart { by_drop, reads_on } => self.restart(by_drop, reads_on).await,
            Step::Forge(client, Forgery::Stolen(other)) if !self.clients.is_empty() => {
                let id = other.get(&self.clients).id().to_vec();
                client.get_mut(&mut self.clients).adopt(id, &self.server);
            }
            Step::Connect(client)
            | Step::Read(client)
            | Step::ReadAll(client)
            | Step::Cut(client)
            | Step::CutWithin(client, _)
            | Step::Forge(client, _)
            | Step::End(client, _)
                if !self.clients.is_empty() =>
            {
                let client = client.get_mut(&mut self.clients);
                client.take(&step, &mut self.server).await;
            }
            _ => {}
        }
    }

    async fn restart(&mut self, by_drop: bool, reads_on: bool) {
        self.server.stop(by_drop).await;
        let has_rest = !by_drop || self.server.settings.has_room();
        let owed = if has_rest { self.server.truth.len() } else { 0 };
        for client in &mut self.clients {
            client.expect_end(owed);
            if reads_on {
                client.read_to_the_end(&mut self.server).await;
            }
            client.cut();
        }
        self.server.restart();
    }

    /// Lets everyone come back and read everything.
    async fn end(mut self) {
        for client in &mut self.clients {
            client.connect(&mut self.server).await;
        }
        self.server.publish(ALL, Kind::Data, 0).await;
        for client in &mut self.clients {
            client.settle(&mut self.server).await;
        }
        drop(self.clients);
        self.server.assert_nothing_is_left();
    }
}
