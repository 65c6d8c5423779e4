//! `Shared`: what Joe and its readers have in common.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

use super::{history::History, reader::Reader};
use crate::{
    attendant::Attendant,
    error::{ProviderClosed, PublishError, SubscribeError},
    fanout::{Fanout, Listener},
    field::EventId,
    overflow::Overflow,
    replay::{Cursor, Epoch, Position, ReadError, StoreError},
    resume::{Gap, Outcome, ResumeFrom},
    subscriber::Subscriber,
    subscription::Subscription,
    topics::Topics,
};

/// Takes an error that is nobody's return value.
pub(super) type OnError = Box<dyn Fn(&StoreError) + Send + Sync>;

/// The fan-out and the history, for Joe and each reader.
pub(super) struct Shared {
    /// Its lock is held over `put`, where that does not wait: the order of the history is the order of delivery.
    pub(super) fanout: Fanout,
    pub(super) history: Option<Arc<History>>,
    /// Makes the ids of places where there is no history.
    pub(super) epoch: Epoch,
    pub(super) overflow: Overflow,
    pub(super) message_bytes: usize,
    pub(super) on_error: Option<OnError>,
    /// The thread that stores has panicked.
    pub(super) has_failed: AtomicBool,
    pub(super) closed: watch::Sender<bool>,
    /// When everyone was last asked to write, to find out who has left.
    pub(super) last_probe: Mutex<Option<Instant>>,
}

/// Where a subscriber begins.
#[derive(Clone, Copy)]
enum Start {
    /// With what is published next.
    Latest,
    /// With everything that is kept.
    Earliest,
    /// Somewhere in the history.
    From(Cursor),
}

impl Shared {
    /// A house that stays full is asked again after this time, not sooner: it wakes everyone.
    const PROBE_PAUSE: Duration = Duration::from_secs(2);
    /// A socket whose peer has gone takes one write and fails with the next.
    const PROBE_WRITES: usize = 2;
    /// How often it is looked whether a place has become free, after each of these writes.
    const PROBE_LOOKS: usize = 4;
    const PROBE_PACE: Duration = Duration::from_millis(50);

    /// Subscribes a client: finds where it begins, and begins there.
    pub(super) async fn subscribe(
        shared: &Arc<Self>,
        subscription: Subscription,
    ) -> Result<Subscriber, SubscribeError> {
        let topics = subscription.topics();
        // What is refused anyway does not read the history first.
        shared.told(shared.fanout.check_topics(topics))?;
        let (mut outcome, start) = shared.find(&subscription).await?;
        let after = match (start, &shared.history) {
            (Start::Earliest, Some(_)) => Some(Position(0)),
            (Start::From(cursor), Some(_)) => Some(cursor.after),
            _ => None,
        };
        let (listener, end) = shared.listen(topics, after).await?;
        let from = match (start, &shared.history) {
            (Start::Latest, _) | (Start::Earliest, None) => Cursor::after(end),
            (Start::Earliest, Some(history)) => history.replayer.earliest(topics),
            (Start::From(cursor), Some(_)) => cursor,
            (Start::From(cursor), None) => {
                if cursor.after != end {
                    // Something was published since, and nothing is kept.
                    outcome = subscription.gap(Gap::Expired)?;
                }
                Cursor::after(end)
            }
        };
        let has_id = outcome == Outcome::Recovered && subscription.start().id().is_some();
        let id = (!has_id).then(|| shared.cursor_id(from, topics));
        let reader = Reader::new(shared, listener, from, subscription.gap_policy());
        Ok(Subscriber::with_deliveries(outcome, reader).beginning_at(id))
    }

    /// Finds where a client begins, and what has become of its past.
    async fn find(&self, subscription: &Subscription) -> Result<(Outcome, Start), SubscribeError> {
        let topics = subscription.topics();
        let found = match (subscription.start(), &self.history) {
            (ResumeFrom::Latest, _) | (ResumeFrom::Earliest, None) => {
                return Ok((Outcome::Fresh, Start::Latest));
            }
            (ResumeFrom::Earliest, Some(_)) => return Ok((Outcome::Recovered, Start::Earliest)),
            (ResumeFrom::After(id), Some(history)) => {
                let (own_id, own_topics) = (id.clone(), topics.clone());
                let seek = history.read(
                    |replayer| replayer.seek_now(id, topics),
                    move |replayer| replayer.seek(&own_id, &own_topics),
                );
                seek.wait().await
            }
            (ResumeFrom::After(id), None) => {
                let cursor = self.epoch.cursor(id, topics);
                let is_there = |cursor: &Cursor| cursor.after <= self.fanout.position();
                cursor.filter(is_there).ok_or(Gap::Unknown.into())
            }
            (ResumeFrom::Unreadable, _) => Err(Gap::Unknown.into()),
        };
        match found {
            Ok(cursor) => Ok((Outcome::Recovered, Start::From(cursor))),
            Err(ReadError::Gap(gap)) => {
                let outcome = subscription.gap(gap)?;
                let is_replayed = self.history.is_some() && subscription.gap_policy().replays();
                let start = if is_replayed {
                    Start::Earliest
                } else {
                    Start::Latest
                };
                Ok((outcome, start))
            }
            Err(ReadError::Store(error)) => Err(error.into()),
        }
    }

    /// Takes a place. In a full house everyone is made to write first, so that those who have left unseen are
    /// found out: some frameworks notice it only then, and who reloads a page is to find their own place.
    async fn listen(
        &self,
        topics: &Topics,
        after: Option<Position>,
    ) -> Result<(Listener, Position), SubscribeError> {
        let taken = self.fanout.listen(topics, after);
        if !matches!(taken, Err(SubscribeError::Full { .. })) || !self.may_probe() {
            return self.told(taken);
        }
        for _ in 0..Self::PROBE_WRITES {
            self.fanout.probe();
            for _ in 0..Self::PROBE_LOOKS {
                // pace: a write has to reach the other end, and its answer this one
                sleep(Self::PROBE_PACE).await;
                let taken = self.fanout.listen(topics, after);
                if !matches!(taken, Err(SubscribeError::Full { .. })) {
                    return self.told(taken);
                }
            }
        }
        taken
    }

    /// Returns whether everyone may be woken now, and notes that they are.
    fn may_probe(&self) -> bool {
        if Attendant::current().is_none() {
            // There is no clock to wait by.
            return false;
        }
        let mut last = self
            .last_probe
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let may = last.is_none_or(|last| now - last >= Self::PROBE_PAUSE);
        if may {
            *last = Some(now);
        }
        may
    }

    fn cursor_id(&self, from: Cursor, topics: &Topics) -> EventId {
        match &self.history {
            Some(history) => history.replayer.cursor_id(from, topics),
            None => self.epoch.cursor_id(from, topics),
        }
    }

    /// Lets every reader read to the end and nobody in.
    pub(super) fn close(&self) -> Result<(), ProviderClosed> {
        let closed = self.fanout.close();
        self.closed.send_replace(true);
        closed
    }

    /// Closes because the thread that stores has panicked.
    pub(super) fn fail(&self) {
        self.has_failed.store(true, Ordering::Release);
        let _ = self.close();
        self.report(&StoreError::new(FAILED));
    }

    /// Hands an error over that ends a stream, or all of them, and is nobody's return value.
    pub(super) fn report(&self, error: &StoreError) {
        if let Some(on_error) = &self.on_error {
            on_error(error);
        }
    }

    /// Tells a provider that was shut down from one that has failed.
    fn told<T>(&self, result: Result<T, SubscribeError>) -> Result<T, SubscribeError> {
        match result {
            Err(SubscribeError::Closed(_)) if self.has_failed.load(Ordering::Acquire) => {
                Err(SubscribeError::Provider(FAILED.into()))
            }
            other => other,
        }
    }

    /// Returns the error of a publish for which there is no thread any more, or no provider.
    pub(super) fn publish_error(&self) -> PublishError {
        if self.has_failed.load(Ordering::Acquire) {
            PublishError::Provider(FAILED.into())
        } else {
            ProviderClosed.into()
        }
    }
}

/// What has happened when the thread that stores is gone.
const FAILED: &str =
    "the replayer has panicked, and the history takes nothing more; restart the service";

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Joe")
            .field("history", &self.history)
            .field("overflow", &self.overflow)
            .field("fanout", &self.fanout)
            .finish_non_exhaustive()
    }
}
