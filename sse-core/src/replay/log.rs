//! The log in memory that both replayers are made of.

use std::{
    collections::{BTreeSet, VecDeque},
    fmt,
    hash::{BuildHasher, Hasher, RandomState},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;

use super::{Page, Position, Stored};
use crate::{field::EventId, message::Message, resume::Gap, topics::Topics};

/// A page ends when it has this many bytes or has looked at this many messages,
/// which keeps the lock short and the write of a reasonable size.
const PAGE_BYTES: usize = 64 << 10;
const PAGE_SCAN: usize = 1024;

/// A history was asked for that could hold nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a history bounded to zero {what} would keep nothing; use at least one, or no replayer")]
pub struct InvalidBound {
    pub(super) what: &'static str,
}

/// How much a log keeps. Every bound holds at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) messages: usize,
    pub(super) bytes: usize,
    pub(super) age: Option<Duration>,
}

/// 64 MiB in any number of messages: a bound for those who give none.
impl Default for Bounds {
    fn default() -> Self {
        Self {
            messages: usize::MAX,
            bytes: 64 << 20,
            age: None,
        }
    }
}

/// Messages in order, at positions that never change, the oldest dropped by the bounds.
pub(super) struct Log {
    pub(super) bounds: Bounds,
    /// Begins every generated id, so that one from before a restart is not mistaken for one of ours.
    epoch: String,
    entries: VecDeque<Entry>,
    /// The message dropped last. It is no longer replayed, but who has it has missed nothing.
    dropped: Option<Entry>,
    /// The position after the newest message: how many there ever were.
    end: u64,
    bytes: usize,
    /// Where ids given by the application are. Several messages may have the same.
    manual: BTreeSet<(EventId, u64)>,
}

struct Entry {
    id: EventId,
    generated: bool,
    topics: Topics,
    bytes: Bytes,
    stored: Instant,
}

impl Entry {
    /// What it takes in memory, so that many small messages are bounded as well as few large ones.
    fn size(&self) -> usize {
        let topics: usize = self
            .topics
            .iter()
            .map(|topic| size_of::<Arc<str>>() + topic.len())
            .sum();
        size_of::<Self>() + self.id.as_str().len() + topics + self.bytes.len()
    }
}

impl Log {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            epoch: random_epoch(),
            entries: VecDeque::new(),
            dropped: None,
            end: 0,
            bytes: 0,
            manual: BTreeSet::new(),
        }
    }

    pub(super) fn put(&mut self, message: Message, topics: &Topics, now: Instant) -> Stored {
        self.end += 1;
        let generated = message.event_id().is_none();
        let id = message
            .event_id()
            .cloned()
            .unwrap_or_else(|| self.generated_id(self.end));
        let message = message.id(id.clone());
        let bytes = message.to_bytes();
        if !generated {
            self.manual.insert((id.clone(), self.end));
        }
        let entry = Entry {
            id: id.clone(),
            generated,
            topics: topics.clone(),
            bytes: bytes.clone(),
            stored: now,
        };
        self.bytes += entry.size();
        self.entries.push_back(entry);
        self.drop_old(now);
        Stored {
            id,
            bytes,
            position: self.end(),
        }
    }

    pub(super) fn end(&self) -> Position {
        Position(self.end)
    }

    pub(super) fn seek(
        &mut self,
        id: &EventId,
        topics: &Topics,
        now: Instant,
    ) -> Result<Position, Gap> {
        self.drop_old(now);
        let position = match self.manual_position(id, topics) {
            Some(position) => return Ok(Position(position)),
            None => self.generated_position(id).ok_or(Gap::Unknown)?,
        };
        match self.entry(position) {
            Some(entry) if entry.generated && entry.topics.matches(topics) => {
                Ok(Position(position))
            }
            None => Err(Gap::Expired),
            Some(_) => Err(Gap::Unknown),
        }
    }

    pub(super) fn page(
        &mut self,
        after: Position,
        topics: &Topics,
        now: Instant,
    ) -> Result<Page, Gap> {
        self.drop_old(now);
        let skip = after.0.checked_sub(self.start()).ok_or(Gap::Expired)?;
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        let mut page = Page {
            messages: Vec::new(),
            next: after,
        };
        let mut bytes = 0;
        for entry in self.entries.iter().skip(skip).take(PAGE_SCAN) {
            if entry.topics.matches(topics) {
                if bytes > 0 && bytes + entry.bytes.len() > PAGE_BYTES {
                    break;
                }
                bytes += entry.bytes.len();
                page.messages.push(entry.bytes.clone());
            }
            page.next.0 += 1;
        }
        Ok(page)
    }

    /// The position before the oldest message that is replayed.
    fn start(&self) -> u64 {
        self.end - self.entries.len() as u64
    }

    /// The message that ends at a position, if it or what followed it is still there.
    fn entry(&self, position: u64) -> Option<&Entry> {
        let start = self.start();
        if position == start {
            return self.dropped.as_ref();
        }
        let index = position.checked_sub(start + 1)?;
        self.entries.get(usize::try_from(index).ok()?)
    }

    fn drop_old(&mut self, now: Instant) {
        while let Some(oldest) = self.entries.front() {
            let age = now.saturating_duration_since(oldest.stored);
            let too_old = self.bounds.age.is_some_and(|most| age >= most);
            let too_many = self.entries.len() > self.bounds.messages;
            // The newest message stays whatever its size: a provider limits that.
            let too_large = self.bytes > self.bounds.bytes && self.entries.len() > 1;
            if !(too_old || too_many || too_large) {
                break;
            }
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        let position = self.start();
        let Some(mut oldest) = self.entries.pop_front() else {
            return;
        };
        self.bytes -= oldest.size();
        oldest.bytes = Bytes::new();
        if let Some(before) = self.dropped.replace(oldest)
            && !before.generated
        {
            self.manual.remove(&(before.id, position));
        }
    }

    fn generated_id(&self, position: u64) -> EventId {
        let id = format!("{}-{position}", self.epoch);
        id.try_into()
            .unwrap_or_else(|_| unreachable!("letters, digits and a hyphen make an id"))
    }

    fn manual_position(&self, id: &EventId, topics: &Topics) -> Option<u64> {
        self.manual
            .range((id.clone(), 0)..=(id.clone(), u64::MAX))
            .map(|(_, position)| *position)
            .find(|position| {
                self.entry(*position)
                    .is_some_and(|entry| entry.topics.matches(topics))
            })
    }

    /// The position that an id of ours names, be it still there or not.
    fn generated_position(&self, id: &EventId) -> Option<u64> {
        let digits = id.as_str().strip_prefix(&self.epoch)?.strip_prefix('-')?;
        // No second spelling of the same id: neither `+1` nor `01`.
        let position: u64 = digits.parse().ok()?;
        ((1..=self.end).contains(&position) && position.to_string() == digits).then_some(position)
    }
}

/// How much there is, not what: messages do not belong into a log file.
impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log")
            .field("bounds", &self.bounds)
            .field("messages", &self.entries.len())
            .field("bytes", &self.bytes)
            .field("manual_ids", &self.manual.len())
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

/// 64 random bits in 13 letters and digits. Two logs with the same epoch are as likely as two
/// equal random numbers; `RandomState` is the standard library's source of them.
fn random_epoch() -> String {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut number = RandomState::new().build_hasher().finish();
    let mut epoch = String::new();
    while number > 0 || epoch.is_empty() {
        epoch.push(char::from(DIGITS[(number % 36) as usize]));
        number /= 36;
    }
    epoch
}
