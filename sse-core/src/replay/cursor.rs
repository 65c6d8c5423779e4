//! `Position` and `Cursor`: places in a history.

/// A place between two messages of a log. Later places are greater; 0 is before all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(pub u64);

impl Position {
    /// Returns the position after one more message.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// A reader's place in a history, and the losses before it that do not count.
///
/// A reader that continues minds every message dropped after its position. One that begins with
/// everything that is kept begins each topic at that topic's own oldest message, so messages that
/// were dropped before it came are no loss to it; a message that is dropped while it reads is one,
/// in every topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// The position up to which everything has been read.
    pub after: Position,
    /// A moment: messages dropped up to it are no loss to this reader.
    ///
    /// The moment of a drop is the position at which the history ended then, or a little more if it
    /// had dropped another message at that position: later drops have later moments, and no drop
    /// is before the dropped message.
    pub lost: Position,
}

impl Cursor {
    /// The start of everything that is kept when this is used.
    pub const EARLIEST: Self = Self {
        after: Position(0),
        lost: Position(u64::MAX),
    };

    /// Makes the cursor of a reader that has read everything up to a position and minds every loss
    /// after it.
    pub fn after(position: Position) -> Self {
        Self {
            after: position,
            lost: position,
        }
    }

    /// Returns `true` if a reader here loses something when one of its topics lacks messages up to
    /// a position, and the last of them was dropped at this moment.
    pub fn misses(&self, missing_until: Position, dropped_at: Position) -> bool {
        missing_until > self.after && dropped_at > self.lost
    }

    /// Returns the cursor behind a page that ends at a position and was read when nothing had been
    /// dropped after this moment.
    #[must_use]
    pub fn advance(&self, position: Position, dropped_until: Position) -> Self {
        Self {
            after: position,
            lost: self.lost.min(dropped_until).max(position),
        }
    }
}
