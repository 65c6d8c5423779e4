//! All published messages, and which of them are kept.

use sse_core::{
    EventId,
    resume::{Gap, Outcome},
};

use super::{Settings, Subject};

pub(super) const TOPICS: [&str; 3] = ["a", "b", "c"];

/// The names that bits stand for.
pub(super) fn names(topics: u8) -> Vec<&'static str> {
    bits(topics).map(|n| TOPICS[n]).collect()
}

fn bits(topics: u8) -> impl Iterator<Item = usize> {
    (0..TOPICS.len()).filter(move |n| topics & (1 << n) != 0)
}

/// By topic: the number after its newest dropped message. The messages from there on are kept.
type Drops = [usize; TOPICS.len()];

/// The least and the most that was dropped: the same if the subject is exact.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Dropped {
    least: Drops,
    most: Drops,
}

/// A place between messages, and the messages that are no loss to a client there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The client has everything before this number,
    from: usize,
    /// except for messages that had been dropped when it came.
    before: Dropped,
    /// The number of restarts before it that were not survived.
    run: usize,
}

impl Place {
    /// Moves past a message that has been read.
    pub(super) fn go_on(&mut self, number: usize) {
        self.from = number + 1;
    }

    /// Perhaps leaves out what another place leaves out, for a client that is told nothing.
    pub(super) fn may_skip(&mut self, other: &Self) {
        self.before.most = other.before.most;
    }
}

/// A message or place whose id a client has.
#[derive(Clone, Copy, Debug)]
pub(super) enum Seen {
    Message(usize),
    Place(Place),
}

/// Messages are numbers, in the order in which they were published.
pub(super) struct List {
    subject: Subject,
    settings: Settings,
    pub(super) messages: Vec<Entry>,
    /// Kept up to date if the subject is exact.
    dropped: Drops,
    /// The number of the first message since a restart that was not survived.
    begin: usize,
    /// The number of restarts that were not survived.
    run: usize,
}

pub(super) struct Entry {
    pub(super) id: EventId,
    topics: u8,
    has_explicit_id: bool,
}

impl List {
    pub(super) fn new(subject: Subject, settings: Settings) -> Self {
        Self {
            subject,
            settings,
            messages: Vec::new(),
            dropped: Drops::default(),
            begin: 0,
            run: 0,
        }
    }

    /// Returns how many messages there are.
    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    pub(super) fn publish(&mut self, topics: u8, id: EventId, has_explicit_id: bool) {
        self.messages.push(Entry {
            id,
            topics,
            has_explicit_id,
        });
        if self.subject.is_exact {
            self.drop_old();
        }
    }

    /// Drops the surplus of each topic, then that of all.
    fn drop_old(&mut self) {
        for n in 0..TOPICS.len() {
            while let Some(oldest) = self.surplus(1 << n, self.settings.topic_messages) {
                self.dropped[n] = oldest + 1;
            }
        }
        while let Some(oldest) = self.surplus(u8::MAX, self.settings.messages) {
            for n in bits(self.messages[oldest].topics) {
                self.dropped[n] = self.dropped[n].max(oldest + 1);
            }
        }
    }

    /// Returns the oldest kept message of these topics, if there are more than `most`.
    fn surplus(&self, topics: u8, most: usize) -> Option<usize> {
        let is_kept = |number: &usize| self.is_kept(*number, topics, &self.dropped);
        let mut kept = (0..self.len()).filter(is_kept);
        let oldest = kept.next()?;
        (1 + kept.count() > most).then_some(oldest)
    }

    /// Returns whether a message is kept for one of these topics once this much is dropped.
    fn is_kept(&self, number: usize, topics: u8, dropped: &Drops) -> bool {
        bits(self.messages[number].topics & topics).any(|n| dropped[n] <= number)
    }

    /// A restart that nothing survives.
    pub(super) fn forget(&mut self) {
        self.begin = self.len();
        self.run += 1;
        self.dropped = [self.begin; TOPICS.len()];
    }

    fn dropped(&self) -> Dropped {
        let [least, most] = if self.subject.is_exact {
            [self.dropped; 2]
        } else {
            // Of all topics alike. Eighths are dropped at once, and an eighth may be a little less.
            let most = self.settings.messages;
            let least = most - 2 * (most / 8);
            [most, least].map(|kept| [self.len().saturating_sub(kept); TOPICS.len()])
        };
        Dropped { least, most }
    }

    /// Returns the place after the message or place whose id a client has.
    pub(super) fn behind(&self, seen: &Seen) -> Place {
        match *seen {
            Seen::Place(place) => place,
            Seen::Message(number) => Place {
                from: number + 1,
                ..self.latest()
            },
        }
    }

    /// Returns the place after everything.
    pub(super) fn latest(&self) -> Place {
        Place {
            from: self.len(),
            before: Dropped::default(),
            run: self.run,
        }
    }

    /// Returns the place before everything that is kept, of each topic from its own oldest.
    pub(super) fn earliest(&self) -> Place {
        Place {
            from: 0,
            before: self.dropped(),
            run: self.run,
        }
    }

    /// Returns a place with the messages kept after it, for a client that is told of the others.
    pub(super) fn skip(&self, place: &Place) -> Place {
        Place {
            before: self.dropped(),
            ..*place
        }
    }

    /// Returns the next message for a client of these topics at a place, at the soonest and at the
    /// latest.
    pub(super) fn next(&self, place: &Place, topics: u8) -> [Option<usize>; 2] {
        [place.before.least, place.before.most].map(|dropped| {
            let mut all = place.from..self.len();
            all.find(|number| self.is_kept(*number, topics, &dropped))
        })
    }

    /// Returns whether a client of these topics at a place has missed something: whether it must
    /// have, and whether it may have.
    fn misses(&self, place: &Place, topics: u8) -> [bool; 2] {
        let Dropped { least, most } = self.dropped();
        [(least, place.before.most), (most, place.before.least)]
            .map(|(dropped, before)| bits(topics).any(|n| dropped[n] > before[n].max(place.from)))
    }

    /// Returns whether a client of these topics at a place may have missed something.
    pub(super) fn may_miss(&self, place: &Place, topics: u8) -> bool {
        let [_, may] = self.misses(place, topics);
        may
    }

    /// Returns the possible outcomes for a client of these topics that comes back with an id.
    pub(super) fn outcomes(&self, seen: &Seen, topics: u8) -> Vec<Outcome> {
        let mut outcomes = match seen {
            Seen::Place(place) if place.run < self.run => vec![Outcome::Gap(Gap::Unknown)],
            Seen::Place(place) => {
                let gap = |misses: bool| misses.then_some(Outcome::Gap(Gap::Expired));
                let outcome = |misses| gap(misses).unwrap_or(Outcome::Recovered);
                self.misses(place, topics).map(outcome).into()
            }
            Seen::Message(number) => {
                let Dropped { least, most } = self.dropped();
                let outcome = |dropped| self.outcome(*number, topics, &dropped);
                [least, most].map(outcome).into()
            }
        };
        outcomes.dedup();
        outcomes
    }

    /// Returns the outcome for a client with the id of a message, once this much is dropped.
    fn outcome(&self, seen: usize, topics: u8, dropped: &Drops) -> Outcome {
        let entry = &self.messages[seen];
        // If it is exact, a client that has the last dropped message has missed nothing.
        let from = seen + usize::from(self.subject.is_exact);
        let is_known = bits(entry.topics & topics).any(|n| dropped[n] <= from);
        let newest = bits(topics).map(|n| dropped[n]).max().unwrap_or(0);
        if seen < self.begin {
            Outcome::Gap(Gap::Unknown)
        } else if is_known && newest <= from {
            Outcome::Recovered
        } else if is_known || !entry.has_explicit_id && newest > from {
            Outcome::Gap(Gap::Expired)
        } else {
            Outcome::Gap(Gap::Unknown)
        }
    }
}
