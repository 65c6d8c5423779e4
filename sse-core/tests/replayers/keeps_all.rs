use std::sync::Mutex;

use sse_core::{EventId, Message, Topics, replay::*, resume::Gap};

/// A history that keeps every message until the process ends.
#[derive(Debug)]
struct KeepsAll {
    epoch: Epoch,
    log: Mutex<Vec<(Topics, Stored)>>,
}

impl Replayer for KeepsAll {
    fn append(&self, batch: Vec<(Message, Topics)>) -> Vec<Result<Stored, StoreError>> {
        let append = |(message, topics): (Message, Topics)| {
            if topics.is_empty() {
                return Err(StoreError::NoTopics);
            }
            let stored = Stored::new(message, &self.epoch, self.end().next());
            self.log.lock().unwrap().push((topics, stored.clone()));
            Ok(stored)
        };
        batch.into_iter().map(append).collect()
    }

    fn end(&self) -> Position {
        let log = self.log.lock().unwrap();
        log.last().map_or(Position(0), |(_, newest)| newest.position)
    }

    fn cursor_id(&self, from: Cursor, topics: &Topics) -> EventId {
        self.epoch.cursor_id(from, topics)
    }

    fn earliest(&self, _: &Topics) -> Cursor {
        Cursor::after(Position(0)) // nothing is ever dropped
    }

    fn seek(&self, id: &EventId, topics: &Topics, _: Blocking) -> Result<Cursor, ReadError> {
        let place = self.epoch.cursor(id, topics);
        if let Some(place) = place.filter(|place| place.after <= self.end()) {
            return Ok(place);
        }
        let log = self.log.lock().unwrap();
        let is_found = |(of, stored): &&(Topics, Stored)| stored.id == *id && of.matches(topics);
        let (_, found) = log.iter().find(is_found).ok_or(Gap::Unknown)?;
        Ok(Cursor::after(found.position))
    }

    fn page(
        &self,
        from: Cursor,
        until: Position,
        topics: &Topics,
        _: Blocking,
    ) -> Result<Page, ReadError> {
        let log = self.log.lock().unwrap();
        let after = log.partition_point(|(_, stored)| stored.position <= from.after);
        let all = log[after..].iter().filter(|(of, _)| of.matches(topics));
        let all = all.map(|(_, stored)| (stored.position, stored.bytes.clone()));
        let mut page = PageBuilder::default();
        page.take(all.take_while(|(position, _)| *position <= until));
        Ok(page.finish(from, until, Position(0)))
    }
}
