//! `Server`: a hub on Joe that can be started again.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use sse_core::{
    EventId, Hub, Joe, Message, ResumeFrom, SseBody, SubscribeError, Subscription, resume::Outcome,
};

use super::{Kind, Settings, Subject, Wishes, names, truth::Truth};

/// A hub on Joe that can be started again, and the messages that were published there.
pub(super) struct Server {
    subject: Subject,
    pub(super) settings: Settings,
    folder: PathBuf,
    pub(super) truth: Truth,
    /// `None` while it is stopped.
    running: Option<Running>,
}

struct Running {
    joe: Arc<Joe>,
    hub: Hub,
}

/// The refusal of a client, which tells it of a gap.
pub(super) struct Refused;

impl Server {
    pub(super) fn new(subject: Subject, settings: Settings, folder: &Path) -> Self {
        let mut server = Self {
            subject,
            settings,
            folder: folder.to_owned(),
            truth: Truth::default(),
            running: None,
        };
        server.start();
        server
    }

    fn start(&mut self) {
        let joe = Arc::new((self.subject.open)(&self.settings, &self.folder));
        let mut hub = Hub::builder(Arc::clone(&joe))
            .keep_alive(None)
            .send_timeout(None);
        if self.settings.spreads {
            hub = hub.spread_reconnects(Duration::from_secs(1));
        }
        let hub = hub.build();
        self.running = Some(Running { joe, hub });
    }

    /// Ends all streams after the published messages.
    pub(super) async fn stop(&mut self, by_drop: bool) {
        if by_drop {
            self.running = None;
        } else {
            let stopped = self.hub().shutdown().await;
            stopped.expect("the first shutdown");
        }
    }

    /// Starts again. Nothing may hold a part of the old server.
    pub(super) fn restart(&mut self) {
        self.running = None;
        if !self.subject.survives {
            self.truth.forget();
        }
        self.start();
    }

    fn hub(&self) -> &Hub {
        let running = self.running.as_ref();
        &running.expect("the server runs").hub
    }

    pub(super) async fn publish(&mut self, topics: u8, kind: Kind, size: usize) {
        let number = self.truth.len();
        let is_counted = matches!(kind, Kind::Data | Kind::ExplicitId | Kind::EmptyId);
        let message = message(kind, number, self.truth.ids().len(), size);
        let published = self.hub().publish(message, names(topics)).await;
        let id = published.expect("a good message").id;
        if !matches!(kind, Kind::Comment | Kind::Retry) {
            let id = id.map(|id| id.to_string());
            assert!(id.is_some() || !self.settings.keeps_history, "it has an id");
            self.truth.publish(topics, is_counted, id);
        }
    }

    /// Subscribes a client that sends this id, and checks that the outcome is what the id means.
    pub(super) async fn subscribe(&self, id: &[u8], wishes: Wishes) -> Result<SseBody, Refused> {
        let mut from = ResumeFrom::from_request((!id.is_empty()).then_some(id), None);
        if wishes.from_earliest {
            from = from.or_earliest();
        }
        let subscription = Subscription::to(names(wishes.topics));
        let subscription = subscription.resume_from(from).on_gap(wishes.on_gap);
        match self.hub().subscribe(subscription).await {
            Ok(body) => {
                self.check(body.outcome(), id, wishes.topics);
                Ok(body)
            }
            Err(SubscribeError::Gap(gap)) => {
                self.check(Outcome::Gap(gap), id, wishes.topics);
                Err(Refused)
            }
            Err(error) => panic!("{error}"),
        }
    }

    fn check(&self, outcome: Outcome, id: &[u8], topics: u8) {
        let is_gap = matches!(outcome, Outcome::Gap(_));
        if id.is_empty() {
            assert!(!is_gap, "a new client has missed nothing");
            return;
        }
        let id_text = String::from_utf8_lossy(id);
        let stand = self.truth.stand(id, topics);
        let is_newest = stand.is_some_and(|stand| stand.is_place && self.truth.is_newest(&stand));
        let (may_continue, must_continue) = if self.settings.keeps_history {
            let is_known = stand.is_some();
            (is_known, is_known && self.settings.keeps_everything())
        } else {
            (is_newest, is_newest)
        };
        assert!(is_gap || may_continue, "{id_text} is taken for {outcome:?}");
        assert!(!(is_gap && must_continue), "{id_text} is taken for a gap");
        assert_ne!(outcome, Outcome::Fresh, "{id_text} is an id");
    }

    pub(super) fn assert_nothing_is_left(&self) {
        let running = self.running.as_ref().expect("the server runs");
        let left = (running.joe.subscribers(), running.joe.queued_bytes());
        assert_eq!(left, (0, 0));
    }
}

/// A message of a kind; `unique` is for an id that no other has.
fn message(kind: Kind, number: usize, unique: usize, size: usize) -> Message {
    let explicit_id = || EventId::try_from(format!("own {unique}")).expect("a valid id");
    let data = || Message::data(format!("{number} {}", "x".repeat(size)));
    match kind {
        Kind::Data => data(),
        Kind::ExplicitId => data().id(explicit_id()),
        Kind::EmptyId => data().id("".try_into().expect("a valid id")),
        Kind::IdOnly => Message::default().id(explicit_id()),
        Kind::Comment => Message::default().comment("x".repeat(size)),
        Kind::Retry => Message::default().retry(Duration::from_secs(1)),
    }
}
