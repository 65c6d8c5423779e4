//! Joe against a model that is too simple to be wrong: a list of everything that was published.

use futures_util::{FutureExt, StreamExt};
use proptest::prelude::*;
use sse_conformance::decode;
use sse_core::{
    Decoder, EventId, FiniteReplayer, Joe, Message, Provider, Subscriber, Subscription,
};

const TOPICS: [&str; 3] = ["a", "b", "c"];

/// What may happen. Sets of topics are bits; clients and messages are chosen from those there are.
#[derive(Clone, Debug)]
enum Step {
    Publish {
        topics: u8,
        size: usize,
    },
    Subscribe {
        topics: u8,
    },
    Resume {
        topics: u8,
        after: prop::sample::Index,
    },
    Read(prop::sample::Index),
    ReadOnce(prop::sample::Index),
    Leave(prop::sample::Index),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let topics = || 1..8_u8;
    let size = prop_oneof![4 => 0..200_usize, 1 => 10_000..70_000_usize];
    let any = any::<prop::sample::Index>;
    let step = prop_oneof![
        12 => (topics(), size).prop_map(|(topics, size)| Step::Publish { topics, size }),
        1 => topics().prop_map(|topics| Step::Subscribe { topics }),
        1 => (topics(), any()).prop_map(|(topics, after)| Step::Resume { topics, after }),
        2 => any().prop_map(Step::Read),
        3 => any().prop_map(Step::ReadOnce),
        1 => any().prop_map(Step::Leave),
    ];
    prop::collection::vec(step, 1..120)
}

fn names(bits: u8) -> Vec<&'static str> {
    let names = TOPICS.into_iter().enumerate();
    names
        .filter(|(n, _)| bits & (1 << n) != 0)
        .map(|(_, name)| name)
        .collect()
}

/// Everything that was published: its topics and its id.
#[derive(Default)]
struct Model(Vec<(u8, EventId)>);

impl Model {
    /// The next message for these topics from a number on.
    fn next(&self, from: usize, topics: u8) -> Option<usize> {
        (from..self.0.len()).find(|n| self.0[*n].0 & topics != 0)
    }
}

struct Client {
    subscriber: Subscriber,
    decoder: Decoder,
    topics: u8,
    /// The number of the next message it may be given.
    next: usize,
}

impl Client {
    /// Reads one piece, or nothing if nothing is there. It is what the model says, whole, in order.
    fn read(&mut self, model: &Model) -> bool {
        let Some(piece) = self.subscriber.next().now_or_never() else {
            return false;
        };
        let bytes = piece.expect("with history nobody's stream ends");
        assert!(!bytes.is_empty());
        for event in decode(&mut self.decoder, &bytes) {
            let expected = model
                .next(self.next, self.topics)
                .expect("a message of these topics");
            assert_eq!(event.data.trim_end_matches('x'), format!("{expected} "));
            assert_eq!(event.id, model.0[expected].1.as_str());
            self.next = expected + 1;
        }
        true
    }

    /// Reads everything that is there.
    fn read_all(&mut self, model: &Model) {
        // An empty page of a long history asks for another turn.
        for _ in 0..2 {
            while self.read(model) {}
        }
        assert_eq!(
            model.next(self.next, self.topics),
            None,
            "something is missing"
        );
    }
}

fn subscribe(joe: &Joe, topics: u8, last: Option<EventId>, next: usize) -> Client {
    let subscription = Subscription::to(names(topics)).resume_from(last);
    let subscribed = joe.subscribe(subscription).now_or_never();
    Client {
        subscriber: subscribed.expect("Joe never waits").expect("there is room"),
        decoder: Decoder::new(),
        topics,
        next,
    }
}

fn publish(joe: &Joe, topics: u8, size: usize, model: &mut Model) {
    let data = format!("{} {}", model.0.len(), "x".repeat(size));
    let published = joe
        .publish(Message::data(data), names(topics).into())
        .now_or_never();
    let published = published.expect("Joe never waits").expect("a good message");
    model
        .0
        .push((topics, published.id.expect("history gives ids")));
}

fn run(joe: &Joe, steps: Vec<Step>) {
    let mut model = Model::default();
    let mut clients: Vec<Client> = Vec::new();
    for step in steps {
        match step {
            Step::Publish { topics, size } => publish(joe, topics, size, &mut model),
            Step::Subscribe { topics } => clients.push(subscribe(joe, topics, None, model.0.len())),
            Step::Resume { topics, after } if !model.0.is_empty() => {
                let seen = after.index(model.0.len());
                let (of, id) = &model.0[seen];
                // An id opens its own topics only.
                clients.push(subscribe(joe, topics | of, Some(id.clone()), seen + 1));
            }
            Step::Read(client) if !clients.is_empty() => {
                client.get_mut(&mut clients).read_all(&model);
            }
            Step::ReadOnce(client) if !clients.is_empty() => {
                client.get_mut(&mut clients).read(&model);
            }
            Step::Leave(client) if !clients.is_empty() => {
                clients.swap_remove(client.index(clients.len()));
            }
            _ => {}
        }
    }
    for client in &mut clients {
        client.read_all(&model);
    }
    assert_eq!(joe.queued_bytes(), 0, "everything has been read");
    drop(clients);
    assert_eq!(joe.subscribers(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_client_gets_exactly_what_was_published_for_it(
        steps in steps(),
        queue_messages in prop_oneof![1..6_usize, Just(1_000)],
        total_bytes in prop_oneof![Just(20_000_usize), Just(100_000_000)],
    ) {
        let history = FiniteReplayer::new(1_000).unwrap();
        let builder = Joe::builder().replayer(history).queue_messages(queue_messages);
        run(&builder.queue_bytes(16 << 20).total_bytes(total_bytes).build(), steps);
    }
}
