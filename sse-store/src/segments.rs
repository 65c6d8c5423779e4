//! The segments of a store, oldest first: where the next message goes, and what is dropped.

use std::{ops::RangeInclusive, sync::Arc};

use fjall::{Database, KeyspaceCreateOptions};

use crate::{
    options::Options,
    segment::{Segment, SegmentError},
};

/// A bound is kept by dropping whole segments, so each is a part of what is allowed.
const PARTS: u64 = 8;

/// What a segment holds in memory until it is sorted and written to a file. With 16 MiB a store of any size opens in a second.
const MEMTABLE_BYTES: u64 = 16 << 20;

/// How many bytes of the newest messages may be in no sorted file yet, more or less: where something may be missing
/// because the engine has taken damage of its journal for its end.
const UNSORTED_BYTES: u64 = 128 << 20;

/// At least one; what is in a list does not change but for the newest.
pub(crate) type Segments = Arc<[Arc<Segment>]>;

pub(crate) fn open(database: &Database) -> Result<Segments, SegmentError> {
    let names = database.list_keyspace_names();
    let mut places: Vec<u64> = names
        .iter()
        .filter_map(|name| Segment::after(name))
        .collect();
    places.sort_unstable();
    if places.is_empty() {
        places.push(0);
    }
    let segments = places.into_iter().map(|after| create(database, after));
    let mut segments = segments.collect::<Result<Vec<_>, _>>()?;
    // Begun after messages that are lost, and with nothing in it: the next message goes before it.
    while let [.., before, newest] = &segments[..]
        && newest.is_empty()
        && newest.after > before.last()
    {
        database.delete_keyspace(newest.keyspace.clone())?;
        segments.pop();
    }
    Ok(segments.into())
}

/// The segment that begins after a position.
pub(crate) fn create(database: &Database, after: u64) -> Result<Arc<Segment>, SegmentError> {
    let options = || KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE_BYTES);
    let keyspace = database.keyspace(&Segment::name(after), options)?;
    Segment::open(keyspace, after).map(Arc::new)
}

/// The position before the oldest message that is kept; what is too old is not.
pub(crate) fn floor(segments: &Segments, options: &Options, now: u64) -> u64 {
    let expired = segments
        .iter()
        .take_while(|segment| is_expired(segment, options, now));
    let last_expired = expired.last().map(|segment| segment.last());
    last_expired.unwrap_or_else(|| segments.first().map_or(0, |first| first.after))
}

fn is_expired(segment: &Segment, options: &Options, now: u64) -> bool {
    let age = now.saturating_sub(segment.newest());
    !segment.is_empty() && options.max_age_millis().is_some_and(|most| age >= most)
}

/// Whether the newest segment has its part of what is allowed.
pub(crate) fn has_its_part(newest: &Segment, options: &Options, now: u64) -> bool {
    let age = now.saturating_sub(newest.oldest());
    let is_old = |most| age >= most / PARTS;
    !newest.is_empty()
        && (is_a_part(newest.messages(), newest.bytes(), options)
            || options.max_age_millis().is_some_and(is_old))
}

/// Whether so many messages are a part of what is allowed.
pub(crate) fn is_a_part(messages: u64, bytes: u64, options: &Options) -> bool {
    messages >= options.max_messages / PARTS || bytes >= options.max_bytes / PARTS
}

/// Whether the oldest of these segments has to go if one more comes.
pub(crate) fn is_too_much(
    oldest: &Segment,
    segments: &[Arc<Segment>],
    options: &Options,
    now: u64,
) -> bool {
    is_expired(oldest, options, now) || !has_room(segments, options)
}

/// Whether one more segment is allowed beside these.
fn has_room(segments: &[Arc<Segment>], options: &Options) -> bool {
    let messages: u64 = segments.iter().map(|segment| segment.messages()).sum();
    let bytes: u64 = segments.iter().map(|segment| segment.bytes()).sum();
    let fits = |used: u64, most: u64| used <= most - most / PARTS;
    fits(messages, options.max_messages) && fits(bytes, options.max_bytes)
}

/// The newest messages that are missing between others, if any are.
///
/// The engine checks what it reads, but takes some damage of its journal for the end of it. Only what was not
/// sorted yet can be missing because of that.
///
/// Nothing up to the floor counts.
pub(crate) fn missing(
    segments: &Segments,
    floor: u64,
) -> Result<Option<RangeInclusive<u64>>, SegmentError> {
    let mut looked_at = 0;
    let mut next = segments.last().map_or(1, |newest| newest.last() + 1);
    let between = |last: u64, next: u64| {
        let missing = last.max(floor) + 1..=next - 1;
        (!missing.is_empty()).then_some(missing)
    };
    for segment in segments.iter().rev() {
        let mut bytes = segment.bytes();
        for commit in segment.commits().rev() {
            let commit = commit?;
            if let Some(missing) = between(commit.last, next) {
                return Ok(Some(missing));
            }
            next = commit.first;
            looked_at += bytes.saturating_sub(commit.bytes);
            bytes = commit.bytes;
            if looked_at > UNSORTED_BYTES || next <= floor {
                return Ok(None);
            }
        }
        if let Some(missing) = between(segment.after, next) {
            return Ok(Some(missing));
        }
        looked_at += bytes;
    }
    Ok(None)
}
