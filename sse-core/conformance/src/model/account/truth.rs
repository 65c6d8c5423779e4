//! `Truth`: all published messages, and the meaning of each id.

use std::collections::HashMap;

use super::{Settings, TOPICS, bits};

/// By topic: the number from which on every message is owed.
pub(super) type Due = [usize; TOPICS.len()];

/// All published messages, and the meaning of each id.
///
/// Messages are numbers, in the order in which they were published.
#[derive(Debug, Default)]
pub(super) struct Truth {
    /// Everything that a client could miss.
    published: Vec<Published>,
    /// By number: the place in that list.
    messages: Vec<usize>,
    /// The place in that list where the present history begins.
    begin: usize,
    /// All ids that were ever given out.
    ids: Vec<String>,
    /// The meaning of the ids that this history has given out.
    stands: HashMap<String, Stand>,
}

#[derive(Debug)]
struct Published {
    topics: u8,
    /// `None` if it has no data.
    number: Option<usize>,
}

/// The meaning of an id.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stand {
    topics: u8,
    pub(super) is_place: bool,
    /// Everything that follows it.
    pub(super) due: Due,
    /// The number of messages before it that could be missed.
    published: usize,
}

impl Truth {
    /// Returns how many messages there are.
    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    pub(super) fn topics(&self, number: usize) -> u8 {
        self.published[self.messages[number]].topics
    }

    /// Adds a message, or only its id.
    pub(super) fn publish(&mut self, topics: u8, has_data: bool, id: Option<String>) {
        let number = has_data.then_some(self.len());
        if has_data {
            self.messages.push(self.published.len());
        }
        self.published.push(Published { topics, number });
        if let Some(id) = id {
            let is_place = false;
            let stand = Stand {
                is_place,
                ..self.latest(topics)
            };
            self.give(id, stand);
        }
    }

    /// Returns the place behind everything, for a client of these topics.
    pub(super) fn latest(&self, topics: u8) -> Stand {
        Stand {
            topics,
            is_place: true,
            due: [self.len(); TOPICS.len()],
            published: self.published.len(),
        }
    }

    /// Returns the place before the messages of these topics that are kept for certain: no topic
    /// has more than its part, and all together no more than a history with these bounds keeps at
    /// least.
    pub(super) fn earliest(&self, topics: u8, settings: &Settings) -> Stand {
        let latest = self.latest(topics);
        if !settings.keeps_history {
            return latest;
        }
        let (all, of_topic) = (settings.least_kept(), settings.bounds.topic_messages);
        let kept = &self.published[self.begin..];
        let kept = &kept[kept.len().saturating_sub(all)..];
        let due = std::array::from_fn(|n| {
            let is_of_topic = |published: &&Published| published.topics & (1 << n) != 0;
            let newest = kept.iter().rev().filter(is_of_topic).take(of_topic);
            let numbers = newest.filter_map(|published| published.number);
            numbers.last().unwrap_or(self.len())
        });
        Stand { due, ..latest }
    }

    /// Adds an id.
    pub(super) fn give(&mut self, id: String, stand: Stand) {
        self.ids.push(id.clone());
        // A client that begins with everything may begin at the same place later.
        self.stands.entry(id).or_insert(stand);
    }

    /// Returns the meaning of an id for a client of these topics.
    pub(super) fn stand(&self, id: &[u8], topics: u8) -> Option<Stand> {
        let stand = *self.stands.get(str::from_utf8(id).ok()?)?;
        let is_theirs = if stand.is_place {
            stand.topics == topics
        } else {
            bits(stand.topics & topics).next().is_some()
        };
        is_theirs.then_some(stand)
    }

    /// Returns whether nothing was published after this was given out.
    pub(super) fn is_newest(&self, stand: &Stand) -> bool {
        stand.published == self.published.len()
    }

    pub(super) fn ids(&self) -> &[String] {
        &self.ids
    }

    /// Begins a new history: a restart that nothing survives.
    pub(super) fn forget(&mut self) {
        self.begin = self.published.len();
        self.stands.clear();
    }
}
