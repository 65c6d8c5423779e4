//! A server and its clients, and what they should see.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use sse_core::{EventId, Joe, Message, OnGap, Outcome, Provider, ResumeFrom, Subscription};

use super::{
    Settings, Step, Subject,
    list::{List, names},
};
use crate::{OwnedEvent, provider::Listener};

pub(super) struct World {
    subject: Subject,
    settings: Settings,
    folder: PathBuf,
    joe: Arc<Joe>,
    list: List,
    clients: Vec<Client>,
}

struct Client {
    topics: u8,
    /// `None` while it is not connected.
    listener: Option<Listener>,
    /// The number of the last message it has seen, and its id.
    last: Option<(usize, EventId)>,
    next: Next,
}

/// What a client is given next.
#[derive(Clone, Copy, Debug)]
enum Next {
    /// The first message for it from this number on.
    From(usize),
    /// The earliest that is kept when it begins to read, which is not before this number.
    Earliest(usize),
}

impl World {
    pub(super) fn new(subject: Subject, settings: Settings, folder: &Path) -> Self {
        Self {
            subject,
            settings,
            folder: folder.to_owned(),
            joe: Arc::new((subject.open)(settings, folder)),
            list: List::new(subject, settings),
            clients: Vec::new(),
        }
    }

    pub(super) async fn take(&mut self, step: Step) {
        let count = self.clients.len();
        match step {
            Step::Publish {
                topics,
                size,
                has_own_id,
            } => self.publish(topics, size, has_own_id).await,
            Step::Connect {
                topics,
                from_earliest,
            } => self.connect(topics, from_earliest).await,
            Step::Resume {
                topics,
                after,
                on_gap,
            } if self.list.len() > 0 => {
                let seen = after.index(self.list.len());
                self.clients.push(Client {
                    topics,
                    listener: None,
                    last: Some((seen, self.list.messages[seen].id.clone())),
                    next: Next::From(seen + 1),
                });
                self.reconnect(count, on_gap).await;
            }
            Step::Reconnect(client, on_gap) if count > 0 => {
                self.reconnect(client.index(count), on_gap).await;
            }
            Step::Read(client) if count > 0 => self.read_all(client.index(count)).await,
            Step::ReadOnce(client) if count > 0 => {
                self.read(client.index(count)).await;
            }
            Step::Disconnect(client) if count > 0 => {
                self.clients[client.index(count)].listener = None;
            }
            Step::Restart => self.restart().await,
            _ => {}
        }
    }

    /// Everyone reads everything, and nothing is left behind.
    pub(super) async fn end(mut self) {
        for n in 0..self.clients.len() {
            self.read_all(n).await;
        }
        drop(self.clients);
        assert_eq!((self.joe.subscribers(), self.joe.queued_bytes()), (0, 0));
    }

    async fn publish(&mut self, topics: u8, size: usize, has_own_id: bool) {
        let number = self.list.len();
        let mut message = Message::data(format!("{number} {}", "x".repeat(size)));
        if has_own_id {
            let id = format!("own {number}");
            message = message.id(id.try_into().expect("a valid id"));
        }
        let published = self.joe.publish(message, names(topics).into()).await;
        let id = published.expect("a good message").id;
        let id = id.expect("history gives ids");
        self.list.publish(topics, id, has_own_id);
    }

    async fn connect(&mut self, topics: u8, from_earliest: bool) {
        let (from, next) = if from_earliest {
            let earliest = *self.list.earliest(topics).start();
            (ResumeFrom::Earliest, Next::Earliest(earliest))
        } else {
            (ResumeFrom::Latest, Next::From(self.list.len()))
        };
        let subscription = Subscription::to(names(topics)).resume_from(from);
        let subscribed = self.joe.subscribe(subscription).await;
        self.clients.push(Client {
            topics,
            listener: Some(Listener::new(subscribed.expect("there is room"))),
            last: None,
            next,
        });
    }

    /// Connects a client with the last id it has seen, if any; what it is told is what the list says.
    async fn reconnect(&mut self, n: usize, on_gap: OnGap) {
        let client = &mut self.clients[n];
        let Some((seen, id)) = client.last.clone() else {
            return;
        };
        client.listener = None;
        let subscription = Subscription::to(names(client.topics));
        let subscription = subscription.resume_from(id).on_gap(on_gap);
        let allowed = self.list.outcomes(seen, client.topics);
        match self.joe.subscribe(subscription).await {
            Ok(subscriber) => {
                let outcome = subscriber.outcome();
                assert!(allowed.contains(&outcome), "{outcome:?}, not {allowed:?}");
                client.next = match (outcome, on_gap) {
                    (Outcome::Recovered, _) => Next::From(seen + 1),
                    (_, OnGap::Refuse) => panic!("it is let in though it has missed something"),
                    (_, OnGap::Replay) => {
                        Next::Earliest(*self.list.earliest(client.topics).start())
                    }
                    _ => Next::From(self.list.len()),
                };
                client.listener = Some(Listener::new(subscriber));
            }
            Err(error) => {
                let may_be_gap = allowed != [Outcome::Recovered];
                assert!(on_gap == OnGap::Refuse && may_be_gap, "{error}");
            }
        }
    }

    /// Reads one piece, if the list says that something is there. Says whether there was.
    async fn read(&mut self, n: usize) -> bool {
        let Client {
            topics,
            listener: Some(listener),
            last,
            next,
        } = &mut self.clients[n]
        else {
            return false;
        };
        let earliest = self.list.earliest(*topics);
        let (least, most) = match *next {
            Next::From(number) => (number, number),
            Next::Earliest(number) => (number, number.max(*earliest.end())),
        };
        if self.list.next(most, *topics).is_none() {
            let may_have = self.list.next(least, *topics).is_some();
            assert!(
                may_have || listener.is_idle(),
                "nothing was published for it"
            );
            return false;
        }
        let Some(events) = listener.events().await else {
            assert!(
                *earliest.end() > least,
                "its stream ends, but nothing is missing"
            );
            self.clients[n].listener = None;
            return false;
        };
        for OwnedEvent { id, data, .. } in events {
            let number = data
                .split(' ')
                .next()
                .and_then(|number| number.parse().ok());
            let number: usize = number.expect("a message of ours");
            let expected = match *next {
                Next::From(from) => (self.list.next(from, *topics), self.list.next(from, *topics)),
                Next::Earliest(_) => (
                    self.list.next(least, *topics),
                    self.list.next(most, *topics),
                ),
            };
            assert!(
                (expected.0..=expected.1).contains(&Some(number)),
                "{number} for {next:?}"
            );
            assert_eq!(id, self.list.messages[number].id.as_str());
            *last = Some((number, self.list.messages[number].id.clone()));
            *next = Next::From(number + 1);
        }
        true
    }

    async fn read_all(&mut self, n: usize) {
        while self.read(n).await {}
    }

    async fn restart(&mut self) {
        for client in &mut self.clients {
            client.listener = None;
        }
        self.joe.shutdown().await.expect("the first shutdown");
        // Nobody has the old one when the new one begins.
        self.joe = Arc::new(Joe::new());
        self.joe = Arc::new((self.subject.open)(self.settings, &self.folder));
        if !self.subject.survives {
            self.list.forget();
        }
    }
}
