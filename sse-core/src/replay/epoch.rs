//! `Epoch`: the part of a generated id that tells the runs of a log apart.

use super::{Cursor, Position};
use crate::{random::random, topics::Topics, wire::EventId};

/// The first half of generated ids, `epoch-position`: names one run of a log.
///
/// A log that has forgotten its messages, or whose newest messages did not survive a crash, has to
/// give its next messages ids that nobody has seen. So each run has its own epoch, and an id says
/// which run gave it.
///
/// ```
/// use sse_core::replay::{Epoch, Position};
///
/// let epoch = Epoch::random();
/// let id = epoch.id(Position(42));
/// assert_eq!(epoch.position(&id), Some(Position(42)));
/// assert_eq!(Epoch::random().position(&id), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Epoch(String);

impl Epoch {
    /// Makes a random epoch: 64 random bits in at most 13 letters and digits. Two runs have the
    /// same epoch as likely as two random numbers are equal.
    pub fn random() -> Self {
        const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
        let mut number = random();
        let mut name = String::new();
        while number > 0 || name.is_empty() {
            name.push(char::from(DIGITS[(number % 36) as usize]));
            number /= 36;
        }
        Self(name)
    }

    /// Returns the epoch with a name that was [kept](Self::as_str). `None` if no epoch has such a
    /// name: 1 to 64 letters and digits.
    pub fn from_name(name: &str) -> Option<Self> {
        let is_name =
            (1..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
        is_name.then(|| Self(name.to_owned()))
    }

    /// Returns the name, for a log that outlives the process.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the id of the message that ends at a position.
    pub fn id(&self, position: Position) -> EventId {
        made(format!("{}-{}", self.0, position.0))
    }

    /// Returns the id of a place between messages, `epoch-after.topics` or
    /// `epoch-after~lost.topics`: for a client of these topics that has been given no message yet.
    /// No message has such an id.
    ///
    /// ```
    /// use sse_core::{Topics, replay::{Cursor, Epoch, Position}};
    ///
    /// let (epoch, news) = (Epoch::random(), Topics::from("news"));
    /// let id = epoch.cursor_id(Cursor::after(Position(42)), &news);
    /// assert_eq!(epoch.cursor(&id, &news), Some(Cursor::after(Position(42))));
    /// assert_eq!(epoch.cursor(&id, &Topics::from("sport")), None);
    /// assert_eq!(epoch.position(&id), None);
    /// ```
    pub fn cursor_id(&self, cursor: Cursor, topics: &Topics) -> EventId {
        let (after, lost) = (cursor.after.0, cursor.lost.0);
        let mark = topics.fingerprint();
        made(if lost <= after {
            format!("{}-{after}.{mark:x}", self.0)
        } else {
            format!("{}-{after}~{lost}.{mark:x}", self.0)
        })
    }

    /// Returns the place that an id of this epoch names, if it was made for these topics.
    pub fn cursor(&self, id: &EventId, topics: &Topics) -> Option<Cursor> {
        let rest = id.as_str().strip_prefix(&self.0)?.strip_prefix('-')?;
        let (place, _) = rest.split_once('.')?;
        let (after, lost) = place.split_once('~').unwrap_or((place, place));
        let cursor = Cursor {
            after: after.parse().ok().map(Position)?,
            lost: lost.parse().ok().map(Position)?,
        };
        // No second spelling of the same id, and no other topics.
        (self.cursor_id(cursor, topics) == *id).then_some(cursor)
    }

    /// Returns the position that an id of this epoch names; there need not be a message.
    pub fn position(&self, id: &EventId) -> Option<Position> {
        let digits = id.as_str().strip_prefix(&self.0)?.strip_prefix('-')?;
        let position = digits.parse().ok().map(Position)?;
        // No second spelling of the same id: neither `+1` nor `01`.
        (self.id(position) == *id).then_some(position)
    }
}

fn made(id: String) -> EventId {
    id.try_into()
        .unwrap_or_else(|_| unreachable!("letters, digits and four marks make an id"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_id_is_taken() {
        let epoch = Epoch::from_name("abc").unwrap();
        for (text, position) in [
            ("abc-7", Some(Position(7))),
            ("abc-07", None),
            ("abc-+7", None),
            ("abc-7 x", None),
            ("abc7", None),
            ("abcd-7", None),
            ("abc-", None),
            ("abc-18446744073709551616", None),
        ] {
            assert_eq!(
                epoch.position(&text.try_into().unwrap()),
                position,
                "{text}"
            );
        }
    }

    #[test]
    fn a_place_is_taken_back_for_its_own_topics_only() {
        let epoch = Epoch::from_name("abc").unwrap();
        let topics = Topics::from(["a", "b"]);
        for (after, lost) in [(0, 0), (7, 7), (0, 9), (3, 12)] {
            let (after, lost) = (Position(after), Position(lost));
            let id = epoch.cursor_id(Cursor { after, lost }, &topics);
            assert_eq!(epoch.cursor(&id, &topics), Some(Cursor { after, lost }));
            for other in [
                Topics::from("a"),
                Topics::from("ab"),
                ["a", "b", "c"].into(),
            ] {
                assert_eq!(epoch.cursor(&id, &other), None, "{id} for {other:?}");
            }
            assert_eq!(Epoch::random().cursor(&id, &topics), None);
            assert_eq!(epoch.position(&id), None, "no message has it");
            let longest = Epoch::from_name(&"x".repeat(64)).unwrap();
            assert!(longest.cursor_id(Cursor::EARLIEST, &topics).as_str().len() <= 128);
        }
        let mark = topics.fingerprint();
        for text in [
            "abc-07.M",
            "abc-7~7.M",
            "abc-7~6.M",
            "abc-7.",
            "abc-7",
            "abc-.M",
            "abc-7~.M",
        ] {
            let id = text.replace('M', &format!("{mark:x}"));
            assert_eq!(
                epoch.cursor(&id.as_str().try_into().unwrap(), &topics),
                None,
                "{id}"
            );
        }
    }

    #[test]
    fn a_name_that_would_not_make_ids_is_none() {
        for name in ["", "a-b", "a b", "ä", "a\n", &"x".repeat(65)] {
            assert_eq!(Epoch::from_name(name), None, "{name:?}");
        }
    }
}
