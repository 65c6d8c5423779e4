//! The log in memory that both replayers are made of.

use std::time::Instant;

use super::{
    Cursor, Epoch, Page, Position, Stored,
    lane::Origin,
    tail::{Bounds, Tail},
};
use crate::{resume::Gap, topics::Topics, wire::EventId, wire::Message};

/// Messages at positions that never change, the oldest dropped by the bounds.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) tail: Tail,
    epoch: Epoch,
    /// The position after the newest message: how many there ever were.
    end: Position,
}

impl Log {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            tail: Tail::with(bounds, Position(0)),
            epoch: Epoch::random(),
            end: Position(0),
        }
    }

    pub(super) fn put(&mut self, message: Message, topics: &Topics, now: Instant) -> Stored {
        self.end.0 += 1;
        let position = self.end;
        let own_id = message.id.clone();
        let id = own_id.clone().unwrap_or_else(|| self.epoch.id(position));
        let bytes = message.id(id.clone()).to_bytes();
        self.tail
            .push_at(position, own_id, topics, bytes.clone(), now);
        Stored {
            id,
            bytes,
            position,
        }
    }

    pub(super) fn end(&self) -> Position {
        self.end
    }

    pub(super) fn cursor_id(&mut self, from: Cursor, topics: &Topics, now: Instant) -> EventId {
        self.tail.drop_old(now);
        let from = self.tail.advance(from, from.after);
        self.epoch.cursor_id(from, topics)
    }

    pub(super) fn earliest(&mut self, now: Instant) -> Cursor {
        self.tail.drop_old(now);
        self.tail.earliest()
    }

    pub(super) fn seek(
        &mut self,
        id: &EventId,
        topics: &Topics,
        now: Instant,
    ) -> Result<Cursor, Gap> {
        self.tail.drop_old(now);
        let cursor = match self.tail.own_position(id, topics) {
            Some(position) => Cursor::after(Position(position)),
            None => self.given_cursor(id, topics)?,
        };
        if self.tail.is_missed(cursor, topics) {
            return Err(Gap::Expired);
        }
        Ok(cursor)
    }

    pub(super) fn page(
        &mut self,
        from: Cursor,
        until: Position,
        topics: &Topics,
        now: Instant,
    ) -> Result<Page, Gap> {
        self.tail.drop_old(now);
        self.tail.page(from, until, topics)
    }

    /// Finds the place, or the message of these topics, that has this id from us.
    fn given_cursor(&self, id: &EventId, topics: &Topics) -> Result<Cursor, Gap> {
        if let Some(cursor) = self.epoch.cursor(id, topics) {
            let is_there = cursor.after <= self.end;
            return is_there.then_some(cursor).ok_or(Gap::Unknown);
        }
        self.given_position(id, topics).map(Cursor::after)
    }

    /// The message of these topics with this id from us.
    fn given_position(&self, id: &EventId, topics: &Topics) -> Result<Position, Gap> {
        let Position(position) = self.epoch.position(id).ok_or(Gap::Unknown)?;
        if self.tail.origin(position, topics) == Some(Origin::Given) {
            Ok(Position(position))
        } else if (1..self.tail.missing_until(topics)).contains(&position) {
            Err(Gap::Expired)
        } else {
            Err(Gap::Unknown)
        }
    }
}
