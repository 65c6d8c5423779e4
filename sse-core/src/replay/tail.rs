//! `Tail`: the newest messages, in memory.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    fmt,
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use bytes::Bytes;

use super::{
    Cursor, Page, Position,
    lane::{Entry, Lane, Missing, Origin},
};
use crate::{join::join, resume::Gap, topics::Topics, wire::EventId};

/// How many topics without messages are remembered, so that who has the last message of one is not told of a gap.
const REMEMBERED_TOPICS: usize = 10_000;

/// How much is kept. Every bound holds at once, but the newest message of each topic is kept within the age.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) messages: usize,
    pub(super) bytes: usize,
    pub(super) age: Option<Duration>,
    pub(super) topic_messages: usize,
    pub(super) topic_bytes: usize,
}

/// 64 MiB in any number of messages: a bound for those who give none.
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

/// The newest messages in memory, by topic: what replayers in memory are made of, and what one on a disk keeps at hand
/// for those who come back soon.
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
    lanes: HashMap<Arc<str>, Lane>,
    /// All messages, oldest first, for the bounds over all topics. The topics hold them; some may be gone.
    order: VecDeque<Weak<Entry>>,
    /// How many there are and what they take.
    messages: usize,
    bytes: usize,
    /// Where ids given by the application are. Several messages may have the same.
    own_ids: BTreeSet<(EventId, u64)>,
    /// Topics that have lost their last message, and where it was; first those to be forgotten first.
    emptied: VecDeque<(Arc<str>, u64)>,
    /// The part that may be missing of a topic that is forgotten.
    forgotten: Missing,
    /// The position of the newest message.
    newest: u64,
    /// The moment of the newest drop: see [`Cursor::lost`].
    dropped_at: u64,
}

impl Tail {
    /// Nothing yet, after a position, and never more than about so many bytes; the newest message is always kept.
    pub fn new(after: Position, max_bytes: usize) -> Self {
        let bounds = Bounds {
            bytes: max_bytes,
            ..Bounds::default()
        };
        Self::with(bounds, after)
    }

    pub(super) fn with(bounds: Bounds, after: Position) -> Self {
        Self {
            bounds,
            lanes: HashMap::new(),
            order: VecDeque::new(),
            messages: 0,
            bytes: 0,
            own_ids: BTreeSet::new(),
            emptied: VecDeque::new(),
            forgotten: Missing {
                until: after.0,
                at: after.0,
            },
            newest: after.0,
            dropped_at: after.0,
        }
    }

    /// Appends a message that ends at a position, which is greater than any before; and its id, if the application gave it one.
    /// A message of no topics is nobody's and not kept.
    pub fn push(
        &mut self,
        position: Position,
        own_id: Option<EventId>,
        topics: &Topics,
        bytes: Bytes,
    ) {
        self.push_at(position, own_id, topics, bytes, Instant::now());
    }

    pub(super) fn push_at(
        &mut self,
        Position(position): Position,
        own_id: Option<EventId>,
        topics: &Topics,
        bytes: Bytes,
        now: Instant,
    ) {
        if topics.is_empty() {
            return;
        }
        if let Some(own_id) = &own_id {
            self.own_ids.insert((own_id.clone(), position));
        }
        let topics = topics.map(|topic| self.lane_name(topic));
        let entry = Arc::new(Entry::new(position, own_id, topics, bytes, now));
        self.newest = position;
        self.messages += 1;
        self.bytes += entry.size;
        self.order.push_back(Arc::downgrade(&entry));
        for topic in entry.topics.shared() {
            if let Some(lane) = self.lanes.get_mut(topic) {
                lane.push(&entry);
            }
        }
        let at = self.next_moment();
        for topic in entry.topics.shared() {
            self.trim(topic, at);
        }
        drop(entry);
        self.drop_old_at(now, at);
    }

    /// Reads the messages of these topics between a cursor and a position, as many as make a reasonable write. As
    /// [`Replayer::page`](super::Replayer::page).
    pub fn page(&self, from: Cursor, until: Position, topics: &Topics) -> Result<Page, Gap> {
        if self.is_missed(from, topics) {
            return Err(Gap::Expired);
        }
        let mut found: Vec<&Entry> = Vec::new();
        let mut is_whole = true;
        for topic in topics.shared() {
            let mut bytes = 0;
            for entry in self.between(topic, from.after.0, until.0) {
                // One more than fits: so the cut comes before whatever is left out here.
                found.push(entry);
                bytes += entry.bytes.len();
                if bytes > Page::BYTES {
                    is_whole = false;
                    break;
                }
            }
        }
        if topics.len() > 1 {
            found.sort_unstable_by_key(|entry| entry.position);
            found.dedup_by_key(|entry| entry.position);
        }
        let fitting = fitting(&found);
        let next = match found[..fitting].last() {
            Some(last) if fitting < found.len() || !is_whole => Position(last.position),
            _ => until.max(from.after),
        };
        let bytes = join(found[..fitting].iter().map(|entry| &entry.bytes));
        let next = self.advance(from, next);
        Ok(Page { bytes, next })
    }

    /// Returns the cursor of a reader that begins now with everything that is here.
    pub fn earliest(&self) -> Cursor {
        self.advance(Cursor::EARLIEST, Position(0))
    }

    /// Returns the cursor of a reader that has read up to a position now.
    pub(super) fn advance(&self, from: Cursor, position: Position) -> Cursor {
        from.advance(position, Position(self.dropped_at))
    }

    /// Returns whether a reader of these topics loses something.
    pub(super) fn is_missed(&self, from: Cursor, topics: &Topics) -> bool {
        let mut all = topics.shared().iter().map(|topic| self.missing(topic));
        all.any(|Missing { until, at }| from.misses(Position(until), Position(at)))
    }

    /// Whether a client of these topics that has the message at a position can continue from here: the message is one of
    /// theirs, without an id of the application, and nothing of theirs after it is missing.
    pub fn continues(&self, position: Position, topics: &Topics) -> bool {
        self.origin(position.0, topics) == Some(Origin::Given)
            && self.missing_until(topics) <= position.0
    }

    /// The position from which on everything of these topics is here.
    pub fn start(&self, topics: &Topics) -> Position {
        Position(self.missing_until(topics))
    }

    /// The name of a topic as its lane has it, which is there from now on.
    fn lane_name(&mut self, topic: &Arc<str>) -> Arc<str> {
        if let Some((name, _)) = self.lanes.get_key_value(topic) {
            return Arc::clone(name);
        }
        let lane = Lane::new(self.forgotten);
        self.lanes.insert(Arc::clone(topic), lane);
        Arc::clone(topic)
    }

    fn between(&self, topic: &Arc<str>, after: u64, until: u64) -> impl Iterator<Item = &Entry> {
        let lane = self.lanes.get(topic);
        lane.into_iter()
            .flat_map(move |lane| lane.between(after, until))
    }

    /// Messages of these topics up to here may be missing.
    pub(super) fn missing_until(&self, topics: &Topics) -> u64 {
        let missing_until = |topic| self.missing(topic).until;
        let all = topics.shared().iter().map(missing_until);
        all.max().unwrap_or_default()
    }

    fn missing(&self, topic: &Arc<str>) -> Missing {
        let lane = self.lanes.get(topic);
        lane.map_or(self.forgotten, Lane::missing)
    }

    fn lanes<'a>(&'a self, topics: &'a Topics) -> impl Iterator<Item = &'a Lane> {
        let names = topics.shared().iter();
        names.filter_map(|topic| self.lanes.get(topic))
    }

    /// The oldest message of these topics with this id from the application.
    pub(super) fn own_position(&self, id: &EventId, topics: &Topics) -> Option<u64> {
        let dropped = self.lanes(topics).filter_map(|lane| lane.dropped_with(id));
        let same = (id.clone(), 0)..=(id.clone(), u64::MAX);
        let mut positions = self.own_ids.range(same).map(|(_, position)| *position);
        let kept = positions.find(|position| self.origin(*position, topics).is_some());
        dropped.chain(kept).min()
    }

    /// Whose id the message at a position has, if it is of these topics and still known.
    pub(super) fn origin(&self, position: u64, topics: &Topics) -> Option<Origin> {
        let mut lanes = self.lanes(topics);
        lanes.find_map(|lane| lane.origin(position))
    }

    /// Returns the moment of what is dropped next, all at once.
    fn next_moment(&self) -> u64 {
        self.newest.max(self.dropped_at + 1)
    }

    /// Drops what is too much of a topic.
    fn trim(&mut self, topic: &Arc<str>, at: u64) {
        let Bounds {
            topic_messages,
            topic_bytes,
            ..
        } = self.bounds;
        while let Some(lane) = self.lanes.get_mut(topic)
            && lane.len() > 1
            && (lane.len() > topic_messages || lane.bytes() > topic_bytes)
        {
            if let Some(entry) = lane.drop_oldest(at) {
                self.dropped_at = at;
                self.release(entry);
            }
        }
    }

    pub(super) fn drop_old(&mut self, now: Instant) {
        self.drop_old_at(now, self.next_moment());
    }

    fn drop_old_at(&mut self, now: Instant, at: u64) {
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
        // What topics have dropped before its turn has left a gap in the order.
        if self.order.len() > 2 * self.messages + 64 {
            self.order.retain(|entry| entry.strong_count() > 0);
        }
    }

    /// Drops the oldest of all messages from its topics.
    fn drop_everywhere(&mut self, oldest: &Entry, at: u64) {
        self.dropped_at = at;
        for topic in oldest.topics.shared() {
            let Some(lane) = self.lanes.get_mut(topic) else {
                continue;
            };
            // It may have been dropped here before, as one too many of this topic.
            if lane.missing().until < oldest.position {
                lane.drop_oldest(at);
                if lane.is_empty() {
                    self.emptied.push_back((Arc::clone(topic), oldest.position));
                }
            }
        }
        while self.emptied.len() > REMEMBERED_TOPICS {
            self.forget_topic();
        }
    }

    /// Forgets the topic that has been without a message for longest.
    fn forget_topic(&mut self) {
        let Some((topic, position)) = self.emptied.pop_front() else {
            return;
        };
        let Some(lane) = self.lanes.get(&topic) else {
            return;
        };
        let Missing { until, at } = lane.missing();
        if lane.is_empty() && until == position {
            self.lanes.remove(&topic);
            self.forgotten.until = self.forgotten.until.max(until);
            self.forgotten.at = self.forgotten.at.max(at);
        }
    }

    /// Takes the message off the books if nobody else holds it.
    fn release(&mut self, entry: Arc<Entry>) {
        if let Some(entry) = Arc::into_inner(entry) {
            self.messages -= 1;
            self.bytes -= entry.size;
            if let Some(own_id) = entry.own_id {
                self.own_ids.remove(&(own_id, entry.position));
            }
        }
    }
}

/// How many of these make a page: at least one, if there is one.
fn fitting(found: &[&Entry]) -> usize {
    let mut bytes = 0;
    let fits = |entry: &&&Entry| {
        let is_first = bytes == 0;
        bytes += entry.bytes.len();
        is_first || bytes <= Page::BYTES
    };
    found.iter().take_while(fits).count()
}

/// How much there is, not what: messages do not belong into a log file.
impl fmt::Debug for Tail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tail")
            .field("bounds", &self.bounds)
            .field("messages", &self.messages)
            .field("bytes", &self.bytes)
            .field("topics", &self.lanes.len())
            .field("own_ids", &self.own_ids.len())
            .finish_non_exhaustive()
    }
}
