//! `Cursor`: how far a reader of a history has come.

use super::Position;

/// A reader's place in a history, and which losses before it do not count.
///
/// A reader that continues minds every message dropped after its position. One that begins with everything that is
/// kept begins each topic at that topic's own oldest message, so what was dropped before it came is no loss to it;
/// what is dropped while it reads is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// Everything up to here has been read.
    pub after: Position,
    /// What was dropped up to here is no loss to this reader.
    pub lost: Position,
}

impl Cursor {
    /// The start of everything that is kept, whatever was dropped.
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

    /// Returns whether a reader here loses something if messages of its topics are missing up to a position.
    pub fn misses(&self, missing_until: Position) -> bool {
        missing_until > self.lost.max(self.after)
    }

    /// Returns the cursor behind a page that ends at a position and was read while messages were missing
    /// up to another.
    #[must_use]
    pub fn advance(&self, position: Position, missing_until: Position) -> Self {
        Self {
            after: position,
            lost: self.lost.min(missing_until).max(position),
        }
    }
}
