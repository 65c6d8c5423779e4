//! `Subscription`: what a client asks for.

use crate::{resume::ResumeFrom, topics::Topics};

/// What a client asks for: topics, and where to begin.
///
/// ```
/// use sse_core::{ResumeFrom, Subscription};
///
/// let last_event_id = ResumeFrom::from_bytes(b"42");
/// let subscription = Subscription::to(["news", "sport"]).resume_from(last_event_id);
/// assert_eq!(subscription.topics().len(), 2);
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a subscription does nothing until a hub or provider takes it"]
pub struct Subscription {
    topics: Topics,
    resume_from: ResumeFrom,
    on_gap: OnGap,
}

/// What the stream says when the client cannot continue where it was.
///
/// The handler learns of it either way, from [`SseBody::outcome`](crate::SseBody::outcome).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnGap {
    /// Begin with an `event: gap` message, [`Gap::message`](crate::Gap::message): the recommended setting,
    /// because nobody should lose messages without knowing.
    #[default]
    Tell,
    /// Say nothing in the stream; the handler tells the client in its own way.
    Silent,
}

impl Subscription {
    /// Asks for these topics, beginning with the next message.
    pub fn to(topics: impl Into<Topics>) -> Self {
        Self {
            topics: topics.into(),
            ..Self::default()
        }
    }

    /// Asks to continue from here, mostly the client's `Last-Event-ID`.
    pub fn resume_from(mut self, from: impl Into<ResumeFrom>) -> Self {
        self.resume_from = from.into();
        self
    }

    /// Sets what the stream says of a gap; by default [`OnGap::Tell`].
    pub fn on_gap(mut self, on_gap: OnGap) -> Self {
        self.on_gap = on_gap;
        self
    }

    /// The topics asked for.
    pub fn topics(&self) -> &Topics {
        &self.topics
    }

    /// Where to begin. For providers.
    pub fn start(&self) -> &ResumeFrom {
        &self.resume_from
    }

    /// What the stream says of a gap. For whoever writes the stream.
    pub fn gap_policy(&self) -> OnGap {
        self.on_gap
    }
}
