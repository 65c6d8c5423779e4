//! A server and its clients, and the messages that they should see.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use sse_core::{
    EventId, Joe, Message, OnGap, ResumeFrom, Subscription,
    provider::{Provider, Subscriber},
    resume::{Gap, Outcome},
};

use super::{
    Settings, Step, Subject,
    list::{List, Place, Seen, names},
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
    /// The message or place that it has seen last, with its id.
    last: (Seen, EventId),
    /// The place from which it goes on while it is connected.
    place: Place,
    /// The start that it asked for when it connected.
    on_gap: OnGap,
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
                has_explicit_id,
            } => self.publish(topics, size, has_explicit_id).await,
            Step::Connect {
                topics,
                from_earliest,
            } => self.connect(topics, from_earliest).await,
            Step::Resume {
                topics,
                after,
                on_gap,
            } if self.list.len() > 0 => {
                let number = after.index(self.list.len());
                let seen = Seen::Message(number);
                self.clients.push(Client {
                    topics,
                    listener: None,
                    last: (seen, self.list.messages[number].id.clone()),
                    place: self.list.behind(&seen),
                    on_gap,
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

    async fn publish(&mut self, topics: u8, size: usize, has_explicit_id: bool) {
        let number = self.list.len();
        let mut message = Message::data(format!("{number} {}", "x".repeat(size)));
        if has_explicit_id {
            let id = format!("own {number}");
            message = message.id(id.try_into().expect("a valid id"));
        }
        let published = self.joe.publish(message, names(topics).into()).await;
        let id = published.expect("a good message").id;
        let id = id.expect("history gives ids");
        self.list.publish(topics, id, has_explicit_id);
    }

    async fn connect(&mut self, topics: u8, from_earliest: bool) {
        let (from, place) = if from_earliest {
            (ResumeFrom::Earliest, self.list.earliest())
        } else {
            (ResumeFrom::Latest, self.list.latest())
        };
        let subscription = Subscription::to(names(topics)).resume_from(from);
        let subscriber = self.joe.subscribe(subscription).await;
        let subscriber = subscriber.expect("there is room");
        let id = begin(&subscriber).expect("it has none that is as good");
        self.clients.push(Client {
            topics,
            listener: Some(Listener::new(subscriber)),
            last: (Seen::Place(place), id),
            place,
            on_gap: OnGap::default(),
        });
    }

    /// Connects a client with the last id it has seen, and checks the outcome against the list.
    async fn reconnect(&mut self, n: usize, on_gap: OnGap) {
        let client = &mut self.clients[n];
        client.listener = None;
        client.on_gap = on_gap;
        let (seen, id) = client.last.clone();
        let subscription = Subscription::to(names(client.topics));
        let subscription = subscription.resume_from(id).on_gap(on_gap);
        let allowed = self.list.outcomes(&seen, client.topics);
        match self.joe.subscribe(subscription).await {
            Ok(subscriber) => {
                let outcome = subscriber.outcome();
                assert!(allowed.contains(&outcome), "{outcome:?}, not {allowed:?}");
                client.place = match (outcome, on_gap) {
                    (Outcome::Recovered, _) => self.list.behind(&seen),
                    (_, OnGap::Refuse) => panic!("it is let in though it has missed something"),
                    (_, OnGap::Replay) => self.list.earliest(),
                    _ => self.list.latest(),
                };
                match begin(&subscriber) {
                    Some(id) => client.last = (Seen::Place(client.place), id),
                    None => assert_eq!(outcome, Outcome::Recovered, "it has no id"),
                }
                client.listener = Some(Listener::new(subscriber));
            }
            Err(error) => {
                let may_be_gap = allowed != [Outcome::Recovered];
                assert!(on_gap == OnGap::Refuse && may_be_gap, "{error}");
            }
        }
    }

    /// Reads one piece, if the list says that something is there. Returns whether there was.
    async fn read(&mut self, n: usize) -> bool {
        let Client {
            topics,
            listener: Some(listener),
            last,
            place,
            on_gap,
        } = &mut self.clients[n]
        else {
            return false;
        };
        let [soonest, latest] = self.list.next(place, *topics);
        if latest.is_none() {
            let is_idle = soonest.is_some() || listener.is_idle();
            assert!(is_idle, "nothing was published for it");
            return false;
        }
        let Some(events) = listener.events().await else {
            let may_miss = self.list.may_miss(place, *topics);
            assert!(may_miss, "its stream ends, but nothing is missing");
            self.clients[n].listener = None;
            return false;
        };
        for OwnedEvent { id, event, data } in events {
            if event == Gap::EVENT.as_str() {
                let may_miss = self.list.may_miss(place, *topics);
                assert!(may_miss, "it is told of a gap, but nothing is missing");
                *place = self.list.skip(place);
                continue;
            }
            if *on_gap == OnGap::Silent && self.list.may_miss(place, *topics) {
                place.may_skip(&self.list.skip(place));
            }
            let [soonest, latest] = self.list.next(place, *topics);
            let number = number(&data);
            let is_next = (soonest..=latest).contains(&Some(number));
            assert!(is_next, "{number}, not {soonest:?} to {latest:?}");
            let listed = &self.list.messages[number].id;
            assert_eq!(id, listed.as_str());
            *last = (Seen::Message(number), listed.clone());
            place.go_on(number);
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

fn begin(subscriber: &Subscriber) -> Option<EventId> {
    subscriber.begins_at().cloned()
}

/// Returns the number of a message of this model.
fn number(data: &str) -> usize {
    let number = data
        .split(' ')
        .next()
        .and_then(|number| number.parse().ok());
    number.expect("a message of this model")
}
