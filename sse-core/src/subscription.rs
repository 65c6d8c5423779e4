//! `Subscription`: what a client asks for.

use crate::{
    error::SubscribeError,
    resume::{Gap, Outcome, ResumeFrom},
    topics::Topics,
    wire::Message,
};

/// A client's request: topics, and where to begin.
///
/// ```
/// use sse_core::{ResumeFrom, Subscription};
///
/// let last_event_id = ResumeFrom::from_bytes(b"42");
/// let subscription = Subscription::to(["news", "sport"]).resume_from(last_event_id);
/// assert_eq!(subscription.topics.len(), 2);
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a subscription does nothing until a hub or provider takes it"]
#[non_exhaustive]
pub struct Subscription {
    /// The topics that the client asks for.
    pub topics: Topics,
    /// The place where the client begins; by default the next message.
    pub resume_from: ResumeFrom,
    /// The treatment of a client that cannot continue; by default [`OnGap::Tell`].
    pub on_gap: OnGap,
}

/// The treatment of a client that cannot continue where it was.
///
/// The handler learns of it in any case, from [`SseBody::outcome`](crate::SseBody::outcome).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnGap {
    /// It is told by an `event: gap` message, [`Gap::message`], and begins with the next message:
    /// the recommended setting, because nobody should lose messages without knowing.
    #[default]
    Tell,
    /// It is told, and then given everything that is kept: for clients that can sort out which
    /// messages they already have.
    Replay,
    /// It begins with the next message and is told nothing: for messages that are worthless when
    /// old, or where the handler tells the client in its own way. Nor is it told of messages that
    /// are skipped in the middle of a stream, not even while it is being given everything that is
    /// kept.
    Silent,
    /// It is not subscribed: [`SubscribeError::Gap`]. A [`Refusal`](crate::response::Refusal) tells
    /// a browser by an `event: gap` and the end, each time it comes back, until the page closes its
    /// `EventSource`, loads the current state and opens another; or by status 412, after which an
    /// `EventSource` does not come back by itself.
    Refuse,
}

/// Asks for these topics, beginning with the next message.
impl<T: Into<Topics>> From<T> for Subscription {
    fn from(topics: T) -> Self {
        Self::to(topics)
    }
}

impl Subscription {
    /// Asks for these topics, beginning with the next message.
    pub fn to(topics: impl Into<Topics>) -> Self {
        Self {
            topics: topics.into(),
            ..Self::default()
        }
    }

    /// Sets [where to begin](Self#structfield.resume_from), mostly the client's `Last-Event-ID`.
    pub fn resume_from(mut self, from: impl Into<ResumeFrom>) -> Self {
        self.resume_from = from.into();
        self
    }

    /// Sets the [treatment](Self#structfield.on_gap) of a client that cannot continue.
    pub fn on_gap(mut self, on_gap: OnGap) -> Self {
        self.on_gap = on_gap;
        self
    }

    /// Returns the outcome for a client that cannot continue, or the error if it asks to be refused
    /// then. For providers. A client that asks for no topics has missed nothing.
    pub fn outcome_of(&self, gap: Gap) -> Result<Outcome, SubscribeError> {
        match self.on_gap.policy() {
            _ if self.topics.is_empty() => Ok(Outcome::Fresh),
            Policy { refuses: true, .. } => Err(SubscribeError::Gap(gap)),
            Policy { refuses: false, .. } => Ok(Outcome::Gap(gap)),
        }
    }
}

/// The meaning of an [`OnGap`].
struct Policy {
    /// It is not subscribed, if it is not yet.
    refuses: bool,
    /// It is told in its stream.
    tells: bool,
    /// It is given everything that is kept.
    replays: bool,
}

impl OnGap {
    /// The one place that says what a setting means.
    fn policy(self) -> Policy {
        let (refuses, tells, replays) = match self {
            Self::Tell => (false, true, false),
            Self::Replay => (false, true, true),
            Self::Silent => (false, false, false),
            // A client that is subscribed already cannot be refused any more, and is told.
            Self::Refuse => (true, true, false),
        };
        Policy {
            refuses,
            tells,
            replays,
        }
    }

    /// Returns the message that tells a client of a gap in its stream, if it is to be told.
    pub(crate) fn notice(self, gap: Gap) -> Option<Message> {
        self.tells().then(|| gap.message())
    }

    /// Returns `true` if a client is told of a gap in its stream.
    pub(crate) fn tells(self) -> bool {
        self.policy().tells
    }

    /// Returns `true` if a client that cannot continue is given everything that is kept.
    pub fn replays(self) -> bool {
        self.policy().replays
    }
}
