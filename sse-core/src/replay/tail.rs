//! `Tail`: the newest messages, in memory.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    fmt,
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use bytes::Bytes;

use super::{
    Cursor, Page, PageBuilder, Position,
    topic_log::{Entry, Missing, Origin, TopicLog},
};
use crate::{resume::Gap, topics::Topics, wire::EventId};

/// The number of topics without messages that are remembered, so that a client which has the last
/// message of one is not told of a gap.
const REMEMBERED_TOPICS: usize = 10_000;

/// The part of the bytes of a tail that they may take: an eighth.
const REMEMBERED_PART: usize = 8;

/// The bounds of a tail. Each holds in addition to the others, but the newest message of each topic
/// is kept within the age.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) messages: usize,
    pub(super) bytes: usize,
    pub(super) age: Option<Duration>,
    pub(super) topic_messages: usize,
    pub(super) topic_bytes: usize,
}

/// 64 MiB in any number of messages.
impl Default for Bounds {
    fn default() -> Self {
        Self {
            messages: usize::MAX,
            bytes: 64 << 20,
            age: None,
            topic_messages: usize::MAX,
            topic_bytes: usize::MAX,
        }
    }
}

/// The newest messages in memory, by topic.
///
/// The replayers in memory are made of it, and one on a disk keeps it for clients that come back
/// soon.
///
/// ```
/// use sse_core::{Message, replay::{Cursor, Position, Tail}};
///
/// let mut tail = Tail::new(Position(41), 1 << 20);
/// let bytes = Message::data("hello").to_bytes();
/// tail.push(Position(42), None, &"news".into(), bytes.clone());
/// let page = tail.page(Cursor::after(Position(41)), Position(42), &"news".into())?;
/// assert_eq!(page.bytes, bytes);
/// assert!(tail.page(Cursor::after(Position(40)), Position(42), &"news".into()).is_err());
/// # Ok::<(), sse_core::resume::Gap>(())
/// ```
pub struct Tail {
    pub(super) bounds: Bounds,
    logs: HashMap<Arc<str>, TopicLog>,
    /// All messages, oldest first, for the bounds over all topics. The topics own them; some may be
    /// gone.
    order: VecDeque<Weak<Entry>>,
    /// The number of messages.
    messages: usize,
    /// The memory that messages and topics take, about.
    bytes: usize,
    /// The topics that have lost their last message, by its position; the first is forgotten
    /// first.
    emptied: BTreeSet<(Position, Arc<str>)>,
    /// The part of the memory that these topics take.
    emptied_bytes: usize,
    /// The part that may be missing of a topic that is forgotten.
    forgotten: Missing,
    /// The position of the newest message.
    newest: Position,
    /// The moment of the newest drop: see [`Cursor::lost`].
    dropped_at: Position,
}

impl Tail {
    /// Makes an empty tail after a position, for about this many bytes of messages and of the names
    /// of their topics. The newest message is always kept.
    pub fn new(after: Position, max_bytes: usize) -> Self {
        let bounds = Bounds {
            bytes: max_bytes,
            ..Bounds::default()
        };
        Self::bounded(bounds, after)
    }

    pub(super) fn bounded(bounds: Bounds, after: Position) -> Self {
        Self {
            bounds,
            logs: HashMap::new(),
            order: VecDeque::new(),
            messages: 0,
            bytes: 0,
            emptied: BTreeSet::new(),
            emptied_bytes: 0,
            forgotten: Missing {
                until: after,
                at: after,
            },
            newest: after,
            dropped_at: after,
        }
    }

    /// Appends a message that ends at a position, which is greater than any before, with the id
    /// that the application gave it, if it did. A message of no topics is not kept.
    pub fn push(
        &mut self,
        position: Position,
        explicit_id: Option<EventId>,
        topics: &Topics,
        bytes: Bytes,
    ) {
        self.push_at(position, explicit_id, topics, bytes, Instant::now());
    }

    pub(super) fn push_at(
        &mut self,
        position: Position,
        explicit_id: Option<EventId>,
        topics: &Topics,
        bytes: Bytes,
        now: Instant,
    ) {
        if topics.is_empty() {
            return;
        }
        let topics = topics.map(|topic| self.shared_name(topic));
        let entry = Arc::new(Entry::new(position, explicit_id, topics, bytes, now));
        self.newest = position;
        self.messages += 1;
        self.bytes += entry.size;
        self.order.push_back(Arc::downgrade(&entry));
        for topic in entry.topics.shared() {
            if let Some(log) = self.logs.get_mut(topic) {
                log.push(&entry);
            }
        }
        let at = self.next_moment();
        for topic in entry.topics.shared() {
            self.evict_from_topic(topic, at);
        }
        drop(entry);
        self.evict_at(now, at);
    }

    /// Reads the messages of these topics between a cursor and a position, as many as make a page:
    /// as [`Replayer::page`](super::Replayer::page) does.
    pub fn page(&self, from: Cursor, until: Position, topics: &Topics) -> Result<Page, Gap> {
        if self.is_missed(from, topics) {
            return Err(Gap::Expired);
        }
        let mut page = PageBuilder::default();
        for log in self.logs(topics) {
            page.take(log.between(from.after, until));
        }
        Ok(page.finish(from, until, self.dropped_at))
    }

    /// Returns the cursor of a reader that begins now with everything that is here.
    pub fn earliest(&self) -> Cursor {
        self.advance(Cursor::EARLIEST, Position(0))
    }

    /// Returns `true` if a client of these topics that has the message at a position can continue
    /// from here: the message is one of theirs, has no explicit id, and no message of theirs after
    /// it is missing.
    pub fn continues(&self, position: Position, topics: &Topics) -> bool {
        self.origin(position, topics) == Some(Origin::Generated) && self.start(topics) <= position
    }

    /// Returns the position from which on everything of these topics is here.
    pub fn start(&self, topics: &Topics) -> Position {
        let missing_until = |topic| self.missing(topic).until;
        let all = topics.shared().iter().map(missing_until);
        all.max().unwrap_or_default()
    }

    /// Returns the position of the newest message.
    pub(super) fn newest(&self) -> Position {
        self.newest
    }

    /// Returns the cursor of a reader that has read up to a position now.
    pub(super) fn advance(&self, from: Cursor, position: Position) -> Cursor {
        from.advance(position, self.dropped_at)
    }

    /// Returns `true` if a reader of these topics loses something.
    pub(super) fn is_missed(&self, from: Cursor, topics: &Topics) -> bool {
        let mut all = topics.shared().iter().map(|topic| self.missing(topic));
        all.any(|Missing { until, at }| from.misses(until, at))
    }

    /// Finds the oldest message of these topics with this explicit id.
    pub(super) fn explicit_position(&self, id: &EventId, topics: &Topics) -> Option<Position> {
        let logs = self.logs(topics);
        logs.filter_map(|log| log.oldest_with(id)).min()
    }

    /// Returns the origin of the id of the message at a position, if it is of these topics and
    /// still known.
    pub(super) fn origin(&self, position: Position, topics: &Topics) -> Option<Origin> {
        self.logs(topics).find_map(|log| log.origin(position))
    }

    /// Returns the name of a topic as its log has it, which is there from now on and is about to
    /// get a message.
    fn shared_name(&mut self, topic: &Arc<str>) -> Arc<str> {
        if let Some((name, log)) = self.logs.get_key_value(topic) {
            let name = Arc::clone(name);
            let emptied = (log.missing().until, Arc::clone(&name));
            if self.emptied.remove(&emptied) {
                self.emptied_bytes -= log.overhead();
            }
            return name;
        }
        let log = TopicLog::new(topic, self.forgotten);
        self.bytes += log.overhead();
        self.logs.insert(Arc::clone(topic), log);
        Arc::clone(topic)
    }

    fn logs<'a>(&'a self, topics: &'a Topics) -> impl Iterator<Item = &'a TopicLog> {
        let names = topics.shared().iter();
        names.filter_map(|topic| self.logs.get(topic))
    }

    fn missing(&self, topic: &Arc<str>) -> Missing {
        let log = self.logs.get(topic);
        log.map_or(self.forgotten, TopicLog::missing)
    }

    /// Returns the moment of the next drop, of one message or of several at once.
    fn next_moment(&self) -> Position {
        self.newest.max(self.dropped_at.next())
    }

    /// Evicts the oldest messages of a topic until the topic is within its bounds.
    fn evict_from_topic(&mut self, topic: &Arc<str>, at: Position) {
        let Bounds {
            topic_messages,
            topic_bytes,
            ..
        } = self.bounds;
        while let Some(log) = self.logs.get_mut(topic)
            && log.len() > 1
            && (log.len() > topic_messages || log.bytes() > topic_bytes)
        {
            if let Some(entry) = self.drop_oldest(topic, at) {
                self.release(entry);
            }
        }
    }

    /// Drops the oldest message of a topic, at a moment.
    fn drop_oldest(&mut self, topic: &Arc<str>, at: Position) -> Option<Arc<Entry>> {
        let log = self.logs.get_mut(topic)?;
        let before = log.overhead();
        let oldest = log.drop_oldest(at)?;
        let after = log.overhead();
        self.bytes = self.bytes + after - before;
        if log.len() == 0 {
            self.emptied.insert((oldest.position, Arc::clone(topic)));
            self.emptied_bytes += after;
        }
        self.dropped_at = at;
        Some(oldest)
    }

    /// Evicts the oldest messages until the tail is within its bounds over all topics.
    pub(super) fn evict(&mut self, now: Instant) {
        self.evict_at(now, self.next_moment());
    }

    fn evict_at(&mut self, now: Instant, at: Position) {
        while let Some(oldest) = self.order.front() {
            let Some(oldest) = oldest.upgrade() else {
                self.order.pop_front();
                continue;
            };
            let age = now.saturating_duration_since(oldest.stored);
            let too_old = self.bounds.age.is_some_and(|most| age >= most);
            let too_many = self.messages > self.bounds.messages;
            let too_large = self.bytes > self.bounds.bytes;
            // The newest message stays whatever its size: a provider limits that.
            if !(too_old || (too_many || too_large) && self.messages > 1) {
                break;
            }
            self.order.pop_front();
            self.drop_everywhere(&oldest, at);
            self.release(oldest);
        }
        // A message that its topics have dropped out of turn has left its place in the order.
        if self.order.len() > 2 * self.messages + 64 {
            self.order.retain(|entry| entry.strong_count() > 0);
        }
    }

    /// Drops the oldest of all messages from its topics.
    fn drop_everywhere(&mut self, oldest: &Entry, at: Position) {
        for topic in oldest.topics.shared() {
            // It may have been dropped here before, as one too many of this topic.
            if self.missing(topic).until < oldest.position {
                self.drop_oldest(topic, at);
            }
        }
        self.forget_topics();
    }

    /// Forgets the topics that have been without a message for longest, until the rest may be
    /// remembered.
    fn forget_topics(&mut self) {
        while self.emptied.len() > REMEMBERED_TOPICS
            || self.emptied_bytes > self.bounds.bytes / REMEMBERED_PART
        {
            let first = self.emptied.pop_first();
            let Some(log) = first.and_then(|(_, topic)| self.logs.remove(&topic)) else {
                return;
            };
            self.emptied_bytes -= log.overhead();
            self.bytes -= log.overhead();
            let Missing { until, at } = log.missing();
            self.forgotten.until = self.forgotten.until.max(until);
            self.forgotten.at = self.forgotten.at.max(at);
        }
    }

    /// Takes a message off the books if no topic holds it any more.
    fn release(&mut self, entry: Arc<Entry>) {
        if let Some(entry) = Arc::into_inner(entry) {
            self.messages -= 1;
            self.bytes -= entry.size;
        }
    }
}

/// Shows how much there is, not the messages: they do not belong into a log file.
impl fmt::Debug for Tail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let explicit_ids: usize = self.logs.values().map(TopicLog::explicit_ids).sum();
        f.debug_struct("Tail")
            .field("bounds", &self.bounds)
            .field("messages", &self.messages)
            .field("bytes", &self.bytes)
            .field("topics", &self.logs.len())
            .field("explicit_ids", &explicit_ids)
            .finish_non_exhaustive()
    }
}
