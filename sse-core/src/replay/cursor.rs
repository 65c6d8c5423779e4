//! `Cursor`: how far a reader of a history has come.

use super::Position;

/// A reader's place in a history, and which losses before it do not count.
///
/// A reader that continues minds every message dropped after its position. One that begins with
/// everything that is kept begins each topic at that topic's own oldest message, so what was
/// dropped before it came is no loss to it; what is dropped while it reads is, of whichever topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// Everything up to here has been read.
    pub after: Position,
    /// A moment: whatever was dropped up to it is no loss to this reader.
    ///
    /// The moment of a drop is the position at which the history ended then, or a little more if it
    /// had dropped something else at that position: later drops have later moments, and none is
    /// before the dropped message.
    pub lost: Position,
}

impl Cursor {
    /// The start of everything that is kept when this is used.
    pub const EARLIEST: Self = Self {
        after: Position(0),
        lost: Position(u64::MAX),
    };

    /// The cursor of a reader that has read everything up to a position and minds whatever is lost after it.
    pub fn after(position: Position) -> Self {
        Self {
            after: position,
            lost: position,
        }
    }

    /// Returns whether a reader here loses something if one of its topics lacks messages up to a
    /// position, and the last of them was dropped at this moment.
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
