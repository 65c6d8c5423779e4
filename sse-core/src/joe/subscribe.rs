//! `Start`: the place where a subscriber of Joe begins.

use std::{sync::PoisonError, time::Duration};

use tokio::time::{Instant, sleep};

use super::{Joe, reader::Reader};
use crate::{
    error::SubscribeError,
    fanout::Listener,
    replay::{Cursor, Position},
    resume::{Gap, Outcome, ResumeFrom},
    subscriber::Subscriber,
    subscription::Subscription,
    topics::Topics,
    wake::WakeTask,
    wire::EventId,
};

/// The place where a subscriber begins.
#[derive(Clone, Copy)]
enum Start {
    /// With the next message that is published.
    Latest,
    /// With everything that is kept.
    Earliest,
    /// Somewhere in the history.
    From(Cursor),
}

impl Joe {
    /// The least time between two probes, because a probe wakes every stream.
    const PROBE_PAUSE: Duration = Duration::from_secs(2);
    /// A socket whose peer has gone takes one write and fails with the next.
    const PROBE_WRITES: usize = 2;
    /// The number of times that it looks for a free place after each of these writes.
    const PROBE_LOOKS: usize = 4;
    const PROBE_PACE: Duration = Duration::from_millis(50);

    /// Subscribes a client: finds the place where it begins, and begins there.
    pub(super) async fn begin(
        &self,
        subscription: Subscription,
    ) -> Result<Subscriber, SubscribeError> {
        let shared = &self.shared;
        let topics = &subscription.topics;
        // A subscription that is refused anyway does not read the history first.
        shared.explain(shared.fanout.check_open().map_err(SubscribeError::from))?;
        let (mut outcome, start) = self.find(&subscription).await?;
        let after = match (start, &self.history) {
            (Start::Earliest, Some(_)) => Some(Position(0)),
            (Start::From(cursor), Some(_)) => Some(cursor.after),
            _ => None,
        };
        let (listener, end) = self.listen(topics, after).await?;
        let from = match (start, &self.history) {
            (Start::Latest, _) | (Start::Earliest, None) => Cursor::after(end),
            (Start::Earliest, Some(history)) => history.replayer.earliest(topics),
            (Start::From(cursor), Some(_)) => cursor,
            (Start::From(cursor), None) => {
                if cursor.after != end {
                    // Something was published since, and nothing is kept.
                    outcome = subscription.outcome_of(Gap::Expired)?;
                }
                Cursor::after(end)
            }
        };
        let has_id = outcome == Outcome::Recovered && subscription.resume_from.id().is_some();
        let id = (!has_id).then(|| self.cursor_id(from, topics));
        let history = self.history.as_ref();
        let on_gap = subscription.on_gap;
        let with_all = matches!(start, Start::Earliest) || from.lost > from.after;
        let reader = Reader::new(shared, history, listener, from, on_gap).with_all(with_all);
        Ok(Subscriber::with_deliveries(outcome, reader).beginning_at(id))
    }

    /// Finds the place where a client begins, and the outcome of its attempt to resume.
    async fn find(&self, subscription: &Subscription) -> Result<(Outcome, Start), SubscribeError> {
        let topics = &subscription.topics;
        let found = match (&subscription.resume_from, &self.history) {
            (ResumeFrom::Latest, _) | (ResumeFrom::Earliest, None) => {
                return Ok((Outcome::Fresh, Start::Latest));
            }
            (ResumeFrom::Earliest, Some(_)) => return Ok((Outcome::Recovered, Start::Earliest)),
            (ResumeFrom::After(id), Some(history)) => {
                let id = id.clone();
                let seek = history.read(topics, move |replayer, topics, blocking| {
                    replayer.seek(&id, topics, blocking)
                });
                seek.wait().await
            }
            (ResumeFrom::After(id), None) => {
                let cursor = self.shared.epoch.cursor(id, topics);
                let is_there = |cursor: &Cursor| cursor.after <= self.shared.fanout.position();
                cursor.filter(is_there).ok_or(Gap::Unknown.into())
            }
            (ResumeFrom::Unreadable, _) => Err(Gap::Unknown.into()),
        };
        match found {
            Ok(cursor) => Ok((Outcome::Recovered, Start::From(cursor))),
            Err(error) => {
                let gap = error.into_gap()?;
                let outcome = subscription.outcome_of(gap)?;
                let is_replayed = self.history.is_some() && subscription.on_gap.replays();
                let start = if is_replayed {
                    Start::Earliest
                } else {
                    Start::Latest
                };
                Ok((outcome, start))
            }
        }
    }

    /// Adds a listener. When there is no place left, every stream first writes a comment, so that
    /// clients which have silently left are detected: some frameworks notice only on a write, and a
    /// page that is reloaded gets its own place back.
    async fn listen(
        &self,
        topics: &Topics,
        after: Option<Position>,
    ) -> Result<(Listener, Position), SubscribeError> {
        let taken = self.shared.fanout.listen(topics, after);
        if !matches!(taken, Err(SubscribeError::Full { .. })) || !self.may_probe() {
            return self.shared.explain(taken);
        }
        for _ in 0..Self::PROBE_WRITES {
            self.shared.fanout.probe();
            for _ in 0..Self::PROBE_LOOKS {
                // pace: a write has to reach the other end, and its answer this one
                sleep(Self::PROBE_PACE).await;
                let taken = self.shared.fanout.listen(topics, after);
                if !matches!(taken, Err(SubscribeError::Full { .. })) {
                    return self.shared.explain(taken);
                }
            }
        }
        taken
    }

    /// Returns `true` if a probe may be made now, and notes that it is.
    fn may_probe(&self) -> bool {
        if WakeTask::current().is_none() {
            // There is no clock to wait by.
            return false;
        }
        let mut last = self
            .shared
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
            None => self.shared.epoch.cursor_id(from, topics),
        }
    }
}
