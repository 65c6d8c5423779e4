//! Writing: batches, each into the segment that has room for it.

use std::sync::{Arc, PoisonError};

use fjall::{OwnedWriteBatch, PersistMode};
use sse_core::{
    EventId, Message, Topics,
    replay::{Position, StoreError, Stored},
};

use crate::{
    directory::Directory,
    options::{Durability, Options},
    record::{Body, Commit, MAX_TOPIC, Record, message_key, own_id_key},
    segment::{Segment, SegmentError},
    segments,
    store::{Inner, failed},
};

/// What is written at once has about so many bytes at most: the engine holds it twice while it writes.
const BATCH_BYTES: u64 = 4 << 20;

impl Inner {
    pub(crate) fn append(
        &self,
        messages: Vec<(Message, Topics)>,
    ) -> Vec<Result<Stored, StoreError>> {
        let mut directory = self
            .directory
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut answers = Vec::with_capacity(messages.len());
        let mut begun: Option<Batch> = None;
        for (message, topics) in messages {
            let refused = refusal(&topics);
            if let Some(batch) =
                begun.take_if(|batch| refused.is_some() || batch.is_full(&self.options))
            {
                self.finish(batch, &mut directory, &mut answers);
            }
            let batch = match (begun.take(), refused) {
                (_, Some(error)) => Err(error),
                (Some(batch), None) => Ok(batch),
                (None, None) => self.begin().map_err(failed),
            };
            match batch {
                Ok(batch) => begun.insert(batch).push(self, message, topics),
                Err(error) => answers.push(Err(error)),
            }
        }
        if let Some(batch) = begun {
            self.finish(batch, &mut directory, &mut answers);
        }
        answers
    }

    fn begin(&self) -> Result<Batch, SegmentError> {
        let now = self.options.now();
        let segment = self.segment(now)?;
        let durability = match self.options.durability {
            Durability::Memory => None,
            Durability::Os => Some(PersistMode::Buffer),
            Durability::Disk => Some(PersistMode::SyncData),
        };
        let commit = Commit {
            first: segment.last() + 1,
            last: segment.last(),
            time: now,
            bytes: segment.bytes(),
        };
        let items = OwnedWriteBatch::with_capacity(self.database.clone(), 2);
        Ok(Batch {
            segment,
            commit,
            items: items.durability(durability),
            stored: Vec::new(),
        })
    }

    /// The segment for the next message; a new one if the newest has its part, and then without those
    /// for which there is no room beside it.
    fn segment(&self, now: u64) -> Result<Arc<Segment>, SegmentError> {
        let segments = self.segments();
        if let Some(newest) = segments.last()
            && !segments::has_its_part(newest, &self.options, now)
        {
            return Ok(Arc::clone(newest));
        }
        let after = segments.last().map_or(0, |newest| newest.last());
        let newest = segments::create(&self.database, after)?;
        let mut kept = segments.to_vec();
        while let Some(oldest) = kept.first()
            && segments::is_too_much(oldest, &kept, &self.options, now)
        {
            // Its files go with the last reader. What cannot be dropped now is dropped next time, and the
            // oldest first, so that nothing is missing in between.
            if self
                .database
                .delete_keyspace(oldest.keyspace.clone())
                .is_err()
            {
                break;
            }
            kept.remove(0);
        }
        kept.push(Arc::clone(&newest));
        self.set_segments(kept.into());
        Ok(newest)
    }

    /// Writes a batch, all or nothing, and answers for each of its messages.
    fn finish(
        &self,
        batch: Batch,
        directory: &mut Directory,
        answers: &mut Vec<Result<Stored, StoreError>>,
    ) {
        let Batch {
            segment,
            commit,
            mut items,
            stored,
        } = batch;
        items.insert(&segment.keyspace, Commit::key(commit.last), commit.value());
        if let Err(error) = items.commit() {
            let text = failed(error.into()).to_string();
            answers.extend(stored.iter().map(|_| Err(StoreError::new(text.clone()))));
            return;
        }
        if self.options.durability != Durability::Memory {
            directory.set_end(commit.last, commit.time);
        }
        let mut tail = self.tail();
        for Item {
            stored,
            own_id,
            topics,
        } in stored
        {
            tail.push(stored.position, own_id, &topics, stored.bytes.clone());
            answers.push(Ok(stored));
        }
        // Last: whatever lies before the end of the store is in memory by then, too.
        segment.has_committed(&commit);
    }
}

/// What is written at once.
struct Batch {
    segment: Arc<Segment>,
    commit: Commit,
    items: OwnedWriteBatch,
    stored: Vec<Item>,
}

struct Item {
    stored: Stored,
    own_id: Option<EventId>,
    topics: Topics,
}

impl Batch {
    /// Whether this is enough for one write, or for the segment.
    fn is_full(&self, options: &Options) -> bool {
        let messages = self.commit.last - self.segment.after;
        self.commit.bytes - self.segment.bytes() >= BATCH_BYTES
            || segments::is_a_part(messages, self.commit.bytes, options)
    }

    fn push(&mut self, store: &Inner, message: Message, topics: Topics) {
        let position = self.commit.last + 1;
        let own_id = message.id.clone();
        let id = match &own_id {
            Some(id) => id.clone(),
            None => store.epochs.id(position),
        };
        let bytes = message.id(id.clone()).to_bytes();
        let keyspace = &self.segment.keyspace;
        let has_own_id = own_id.is_some();
        let mut body = Body::Here(&bytes);
        for topic in topics.iter() {
            let record = Record { has_own_id, body };
            self.items
                .insert(keyspace, message_key(topic, position), record.to_value());
            if matches!(body, Body::Here(_)) {
                body = Body::Under(topic);
            }
        }
        if let Some(own_id) = &own_id {
            self.items
                .insert(keyspace, own_id_key(own_id, position), []);
        }
        self.commit.last = position;
        self.commit.bytes += bytes.len() as u64;
        self.stored.push(Item {
            stored: Stored {
                id,
                bytes,
                position: Position(position),
            },
            own_id,
            topics,
        });
    }
}

fn refusal(topics: &Topics) -> Option<StoreError> {
    if topics.is_empty() {
        return Some(StoreError::NoTopics);
    }
    let long = topics.iter().find(|topic| topic.len() > MAX_TOPIC)?;
    Some(StoreError::TopicTooLong {
        size: long.len(),
        limit: MAX_TOPIC,
    })
}
