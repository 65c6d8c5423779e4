//! `Account`: the messages that a client has got, and those that it is owed.

use super::{
    bits,
    truth::{Due, Truth},
};

/// The account of a client: the messages it has got and those that are owed to it.
#[derive(Debug)]
pub(super) struct Account {
    topics: u8,
    /// `None` before the first connection.
    due: Option<Due>,
    /// The message it got last, unless it is given older ones again.
    newest: Option<usize>,
    /// It may get messages that are not owed to it.
    may_get_older: bool,
    /// It was told, since its last message or in the middle of several topics, that something is
    /// missing of the messages before this number.
    told: Option<usize>,
}

impl Account {
    /// Opens the account of a client that has never connected.
    pub(super) fn new(topics: u8) -> Self {
        Self {
            topics,
            due: None,
            newest: None,
            may_get_older: false,
            told: None,
        }
    }

    /// Starts again: this is owed, and older messages may come or not.
    pub(super) fn begin(&mut self, due: Due, may_get_older: bool) {
        *self = Self {
            due: Some(due),
            may_get_older,
            ..Self::new(self.topics)
        };
    }

    /// Continues after a gap, without the missing messages.
    pub(super) fn go_on(&mut self, due: Due) {
        let newest = self.newest;
        self.begin(due, false);
        self.newest = newest;
    }

    /// Notes that the client was told, in the middle of its stream, that it is missing something
    /// before a number.
    pub(super) fn be_told(&mut self, number: usize) {
        self.told = Some(number);
    }

    /// Forgets the notices of a stream that has ended: the client comes back with its id.
    pub(super) fn forget_told(&mut self) {
        self.told = None;
    }

    /// Returns whether it has begun with everything that was kept.
    pub(super) fn may_get_older(&self) -> bool {
        self.may_get_older
    }

    pub(super) fn is_told(&self) -> bool {
        self.told.is_some()
    }

    /// Passes over the messages before a number, because the client was told.
    pub(super) fn pass_over(&mut self, number: usize) {
        self.due = self.due.map(|due| due.map(|from| from.max(number)));
    }

    /// Returns the oldest message before a number that is owed to the client.
    pub(super) fn owed(&self, before: usize, truth: &Truth) -> Option<usize> {
        let due = self.due?;
        let from = |n: usize| due[n].max(self.told.unwrap_or(0));
        let is_owed = |number: &usize| {
            let topics = truth.topics(*number) & self.topics;
            bits(topics).any(|n| from(n) <= *number)
        };
        (0..before).find(is_owed)
    }

    /// Returns whether nothing before a number will come any more.
    pub(super) fn is_settled(&self, before: usize) -> bool {
        let due = self.due.iter().flatten();
        due.min().is_some_and(|due| *due >= before)
    }

    /// Enters a message. `skips` says that its client has asked not to be told of skipped ones.
    pub(super) fn enter(&mut self, number: usize, truth: &Truth, skips: bool) {
        let topics = truth.topics(number) & self.topics;
        assert_ne!(topics, 0, "{number} is of other topics");
        let is_next = self.newest.is_none_or(|newest| newest < number);
        assert!(is_next, "{number} comes again: {self:?}");
        let due = self.due.expect("nothing comes before the opening");
        let is_older = bits(topics).all(|n| number < due[n]);
        assert!(self.may_get_older || !is_older, "{number} is old: {self:?}");
        let lost = self.owed(number, truth).filter(|_| !skips);
        assert_eq!(lost, None, "lost in silence before {number}: {self:?}");
        self.pass_over(number + 1);
        self.newest = Some(number);
        // Several topics lose messages independently of each other.
        self.told = self.told.filter(|_| self.topics.count_ones() > 1);
    }
}
