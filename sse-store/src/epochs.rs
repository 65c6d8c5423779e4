//! `Runs` and `Epochs`: the runs of the store, and the ids that each gave.

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use sse_core::{
    EventId, Topics,
    replay::{Cursor, Epoch, Position},
    resume::Gap,
};

use crate::{directory::FORMAT, error::EngineError, record::position};

/// The keyspace of the runs, and of the floor.
///
/// | key | value |
/// |---|---|
/// | `0` position after which runs began | their epochs, oldest first, with a comma between |
/// | `1` | the position up to which nothing is shown |
/// | `2` | the position after which messages were lost |
/// | `3` | the format |
pub(crate) struct Runs {
    database: Database,
    keyspace: Keyspace,
}

/// The number of runs that are known, also when none of their messages is kept: an id of an earlier
/// run is unknown instead of expired.
const MOST_RUNS: usize = 1_000;

const RUN: u8 = 0;
const FLOOR: [u8; 1] = [1];
const HOLE: [u8; 1] = [2];
const FORMAT_KEY: [u8; 1] = [3];

impl Runs {
    pub(crate) fn open(database: &Database) -> Result<Self, EngineError> {
        let keyspace = database.keyspace("runs", KeyspaceCreateOptions::default)?;
        match keyspace.get(FORMAT_KEY)? {
            Some(format) if format == FORMAT.as_bytes() => {}
            None if keyspace.is_empty()? => {
                keyspace.insert(FORMAT_KEY, FORMAT)?;
            }
            found => {
                let found = found.unwrap_or_default();
                let found = String::from_utf8_lossy(&found).into_owned();
                return Err(EngineError::Format(found));
            }
        }
        let database = database.clone();
        Ok(Self { database, keyspace })
    }

    pub(crate) fn floor(&self) -> Result<u64, EngineError> {
        Ok(self.number(FLOOR)?.unwrap_or(0))
    }

    fn number(&self, key: [u8; 1]) -> Result<Option<u64>, EngineError> {
        let Some(value) = self.keyspace.get(key)? else {
            return Ok(None);
        };
        let bytes = value.as_ref().try_into();
        bytes.map_or(Err(EngineError::Damaged(0)), |bytes| {
            Ok(Some(u64::from_be_bytes(bytes)))
        })
    }

    pub(crate) fn set_floor(&self, floor: u64) -> Result<(), EngineError> {
        self.keyspace.insert(FLOOR, floor.to_be_bytes())?;
        Ok(self.database.persist(PersistMode::SyncAll)?)
    }

    /// Begins a run after a position, and forgets the oldest if there are too many. `has_lost` says
    /// that messages may have been lost that came there before.
    pub(crate) fn begin(&self, end: u64, has_lost: bool) -> Result<Epochs, EngineError> {
        if has_lost {
            // Runs that began here have stored nothing that is left, and may have stored something.
            self.keyspace.remove(run_key(end))?;
            self.keyspace.insert(HOLE, end.to_be_bytes())?;
        }
        let hole = self.number(HOLE)?;
        let mut runs = Vec::new();
        for entry in self.keyspace.range(run_key(0)..=run_key(end)) {
            let (key, names) = entry.into_inner()?;
            let after = position(&key).ok_or(EngineError::Damaged(0))?;
            let names = str::from_utf8(&names).map_err(|_| EngineError::Damaged(after))?;
            for name in names.split(',') {
                let epoch = Epoch::from_name(name).ok_or(EngineError::Damaged(after))?;
                runs.push((after, epoch));
            }
        }
        let epoch = Epoch::random();
        let epochs = Epochs {
            hole: hole.map(Position),
            ..Epochs::new(runs, end, epoch)
        };
        // Runs that began here have stored nothing, and have still told clients where their streams
        // begin.
        let here = epochs.runs.iter().rev().take(MOST_RUNS);
        let here = here.take_while(|run| run.after == end);
        let mut names: Vec<&str> = here.map(|run| run.epoch.as_str()).collect();
        names.reverse();
        self.keyspace.insert(run_key(end), names.join(","))?;
        let (forgotten, known) = epochs
            .runs
            .split_at(epochs.runs.len().saturating_sub(MOST_RUNS));
        let first_known = known.first().map_or(end, |run| run.after);
        for run in forgotten.iter().filter(|run| run.after < first_known) {
            self.keyspace.remove(run_key(run.after))?;
        }
        // Runs of a time that is lost: their ids would be taken for those of other messages.
        let lost = self.keyspace.range(run_key(end + 1)..=run_key(u64::MAX));
        let lost = lost.map(fjall::Guard::key).collect::<Result<Vec<_>, _>>()?;
        for key in lost {
            self.keyspace.remove(key)?;
        }
        self.database.persist(PersistMode::SyncAll)?;
        Ok(epochs)
    }
}

fn run_key(after: u64) -> Vec<u8> {
    [&[RUN], after.to_be_bytes().as_slice()].concat()
}

/// The runs of the store, oldest first; the last is this one.
///
/// An id counts only for a position that its run had reached according to what is stored: an id
/// that was given out shortly before a crash, and whose message did not survive it, is not mistaken
/// for that of another message.
#[derive(Debug)]
pub(crate) struct Epochs {
    runs: Vec<Run>,
    current: Epoch,
    /// The position after which messages were lost, the last time that some were. Nobody continues
    /// across it: runs that began before it were on its other side.
    hole: Option<Position>,
}

#[derive(Debug)]
struct Run {
    /// The position after which it began.
    after: u64,
    epoch: Epoch,
}

impl Epochs {
    /// Lists earlier runs in the order in which they began, and one that begins.
    fn new(runs: impl IntoIterator<Item = (u64, Epoch)>, after: u64, current: Epoch) -> Self {
        let current_run = (after, current.clone());
        let runs = runs.into_iter().chain([current_run]);
        Self {
            runs: runs.map(|(after, epoch)| Run { after, epoch }).collect(),
            current,
            hole: None,
        }
    }

    /// Returns `true` if messages were lost after this position, before anything that follows it.
    pub(crate) fn is_before_loss(&self, position: Position) -> bool {
        self.hole.is_some_and(|hole| position <= hole)
    }

    /// Returns the epoch of this run.
    pub(crate) fn current(&self) -> &Epoch {
        &self.current
    }

    /// Returns the place that an id of the store names, if its run had come this far according to
    /// what is stored: a place after a message that did not survive is none. A place of a run that
    /// began before a loss has a gap after it.
    pub(crate) fn cursor(
        &self,
        id: &EventId,
        topics: &Topics,
        Position(end): Position,
    ) -> Option<Result<Cursor, Gap>> {
        self.runs.iter().enumerate().find_map(|(index, run)| {
            let cursor = run.epoch.cursor(id, topics)?;
            let until = self.runs.get(index + 1).map_or(end, |next| next.after);
            let (Position(after), Position(lost)) = (cursor.after, cursor.lost);
            // One that begins with everything kept begins before the run.
            let is_early = after == 0;
            let was_reached = after.max(lost) <= until;
            let is_before_loss = self.hole.is_some_and(|hole| run.after < hole.0);
            (was_reached && (is_early || run.after <= after)).then_some(if is_before_loss {
                Err(Gap::Expired)
            } else {
                Ok(cursor)
            })
        })
    }

    /// Returns the position that an id of the store names, if there was ever a message. `end` is
    /// the position of the newest.
    pub(crate) fn position(&self, id: &EventId, Position(end): Position) -> Option<Position> {
        self.runs.iter().enumerate().find_map(|(index, run)| {
            let Position(position) = run.epoch.position(id)?;
            let until = self.runs.get(index + 1).map_or(end, |next| next.after);
            (run.after < position && position <= until).then_some(Position(position))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_counts_for_what_its_run_has_stored() {
        let [first, second, third] = ["a", "b", "c"].map(|name| Epoch::from_name(name).unwrap());
        let epochs = Epochs::new([(0, first), (10, second)], 10, third);
        let position = |id: &str| {
            epochs
                .position(&id.try_into().unwrap(), Position(12))
                .map(|Position(position)| position)
        };
        assert_eq!(position("a-1"), Some(1));
        assert_eq!(position("a-10"), Some(10));
        assert_eq!(position("a-11"), None, "it did not survive");
        assert_eq!(position("b-11"), None, "this run stored nothing");
        assert_eq!(position("c-11"), Some(11));
        assert_eq!(position("c-13"), None);
        assert_eq!(position("a-0"), None);
        assert_eq!(epochs.current().id(Position(13)), "c-13");
    }

    #[test]
    fn a_place_counts_for_what_its_run_has_stored() {
        let runs = ["a", "b", "c"].map(|name| Epoch::from_name(name).unwrap());
        let [first, second, third] = runs.clone();
        let epochs = Epochs::new([(0, first), (10, second)], 10, third);
        let topics = Topics::from("t");
        for (run, after, lost, is_known) in [
            (0, 0, 0, true),
            (0, 10, 10, true),
            (0, 11, 11, false),
            (1, 10, 10, true),
            (1, 11, 11, false),
            (2, 9, 9, false),
            (2, 10, 10, true),
            (2, 12, 12, true),
            (2, 13, 13, false),
            (2, 0, 0, true),
            (2, 0, 7, true),
            (0, 0, 11, false),
        ] {
            let (after, lost) = (Position(after), Position(lost));
            let cursor = Cursor { after, lost };
            let id = runs[run].cursor_id(cursor, &topics);
            let found = epochs.cursor(&id, &topics, Position(12));
            assert_eq!(found, is_known.then_some(Ok(cursor)), "{id}");
            assert_eq!(epochs.cursor(&id, &"other".into(), Position(12)), None);
        }
    }

    #[test]
    fn nobody_continues_across_a_loss() {
        let runs = ["a", "b", "c"].map(|name| Epoch::from_name(name).unwrap());
        let [first, second, third] = runs.clone();
        let epochs = Epochs {
            hole: Some(Position(10)),
            ..Epochs::new([(0, first), (10, second)], 12, third)
        };
        for (position, is_before) in [(1, true), (10, true), (11, false), (12, false)] {
            assert_eq!(epochs.is_before_loss(Position(position)), is_before);
        }
        let topics = Topics::from("t");
        for (run, after, is_before) in [
            (0, 0, true),
            (0, 10, true),
            (1, 0, false),
            (1, 10, false),
            (2, 12, false),
        ] {
            let cursor = Cursor::after(Position(after));
            let id = runs[run].cursor_id(cursor, &topics);
            let found = epochs.cursor(&id, &topics, Position(14)).unwrap();
            assert_eq!(found.is_err(), is_before, "{id}");
        }
    }
}
