//! Everything that was published, and what of it is kept.

use std::ops::RangeInclusive;

use sse_core::{EventId, Gap, Outcome};

use super::{Settings, Subject};

pub(super) const TOPICS: [&str; 3] = ["a", "b", "c"];

/// The names that bits stand for.
pub(super) fn names(bits: u8) -> Vec<&'static str> {
    let named = TOPICS.into_iter().enumerate();
    named
        .filter(|(n, _)| bits & (1 << n) != 0)
        .map(|(_, name)| name)
        .collect()
}

/// Messages are numbers, in the order in which they were published.
pub(super) struct List {
    subject: Subject,
    settings: Settings,
    pub(super) messages: Vec<Entry>,
    /// What is kept, and for which topics it still is.
    kept: Vec<(usize, u8)>,
    /// By topic: the number after the newest message of it that is not kept.
    dropped: [usize; TOPICS.len()],
    /// The number of the first message since a restart that was not survived.
    begin: usize,
}

pub(super) struct Entry {
    pub(super) id: EventId,
    topics: u8,
    has_own_id: bool,
}

impl List {
    pub(super) fn new(subject: Subject, settings: Settings) -> Self {
        Self {
            subject,
            settings,
            messages: Vec::new(),
            kept: Vec::new(),
            dropped: [0; TOPICS.len()],
            begin: 0,
        }
    }

    /// How many messages there are.
    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    pub(super) fn publish(&mut self, topics: u8, id: EventId, has_own_id: bool) {
        self.kept.push((self.len(), topics));
        self.messages.push(Entry {
            id,
            topics,
            has_own_id,
        });
        if !self.subject.is_exact {
            return;
        }
        for n in 0..TOPICS.len() {
            let of_topic = |(_, left): &&mut (usize, u8)| *left & (1 << n) != 0;
            while self.kept.iter_mut().filter(of_topic).count() > self.settings.topic_messages {
                let Some((number, left)) = self.kept.iter_mut().find(of_topic) else {
                    break;
                };
                *left &= !(1 << n);
                self.dropped[n] = *number + 1;
            }
        }
        self.kept.retain(|(_, left)| *left != 0);
        while self.kept.len() > self.settings.messages {
            let (number, left) = self.kept.remove(0);
            for n in 0..TOPICS.len() {
                if left & (1 << n) != 0 {
                    self.dropped[n] = number + 1;
                }
            }
        }
    }

    /// A restart that nothing survives.
    pub(super) fn forget(&mut self) {
        self.begin = self.len();
        self.kept.clear();
        self.dropped = [self.begin; TOPICS.len()];
    }

    /// The next message for these topics from a number on.
    pub(super) fn next(&self, from: usize, topics: u8) -> Option<usize> {
        (from..self.len()).find(|n| self.messages[*n].topics & topics != 0)
    }

    /// The number of the oldest message that a client of these topics is given if it wants all, at least and at most.
    pub(super) fn earliest(&self, topics: u8) -> RangeInclusive<usize> {
        if self.subject.is_exact {
            let dropped = (0..TOPICS.len()).filter(|n| topics & (1 << n) != 0);
            let dropped = dropped.map(|n| self.dropped[n]).max().unwrap_or(0);
            return dropped..=dropped;
        }
        // Eighths are dropped at once, and an eighth may be a little less.
        let most = self.settings.messages;
        let least = most - 2 * (most / 8);
        self.len().saturating_sub(most)..=self.len().saturating_sub(least)
    }

    /// What a client of these topics with the id of a message may be told.
    pub(super) fn outcomes(&self, seen: usize, topics: u8) -> Vec<Outcome> {
        let earliest = self.earliest(topics);
        let both = [*earliest.start(), *earliest.end()];
        let mut outcomes: Vec<_> = both
            .map(|dropped| self.outcome(seen, topics, dropped))
            .into();
        outcomes.dedup();
        outcomes
    }

    fn outcome(&self, seen: usize, topics: u8, dropped: usize) -> Outcome {
        let Entry {
            topics: of,
            has_own_id,
            ..
        } = self.messages[seen];
        let is_known = if self.subject.is_exact {
            let is_kept = |(n, left): &(usize, u8)| *n == seen && left & topics != 0;
            // Who has the last that was dropped has missed nothing.
            let was_last = |n: usize| of & topics & (1 << n) != 0 && self.dropped[n] == seen + 1;
            self.kept.iter().any(is_kept) || (0..TOPICS.len()).any(was_last)
        } else {
            seen >= dropped && of & topics != 0
        };
        if seen < self.begin {
            Outcome::Gap(Gap::Unknown)
        } else if is_known && seen + 1 >= dropped {
            Outcome::Recovered
        } else if is_known || !has_own_id && self.is_before(seen, dropped) {
            Outcome::Gap(Gap::Expired)
        } else {
            Outcome::Gap(Gap::Unknown)
        }
    }

    fn is_before(&self, seen: usize, dropped: usize) -> bool {
        if self.subject.is_exact {
            seen + 1 < dropped
        } else {
            seen < dropped
        }
    }
}
