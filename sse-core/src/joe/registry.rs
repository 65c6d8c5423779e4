//! Who listens to what.

use std::{collections::HashMap, sync::Arc, task::Waker};

use bytes::Bytes;

use super::{Shared, audience::Audience};
use crate::{error::ProviderClosed, replay::Position, topics::Topics};

/// The audiences, found by their topics and by each of them.
#[derive(Default)]
pub(super) struct Registry {
    closed: bool,
    next_key: u64,
    by_topics: HashMap<Topics, Seats>,
    by_topic: HashMap<Arc<str>, HashMap<u64, Arc<Audience>>>,
}

/// An audience and how many subscribers it has.
struct Seats {
    audience: Arc<Audience>,
    key: u64,
    taken: usize,
}

impl Registry {
    pub(super) fn check_open(&self) -> Result<(), ProviderClosed> {
        if self.closed {
            Err(ProviderClosed)
        } else {
            Ok(())
        }
    }

    /// Takes a seat in the audience of these topics. To be given back with `leave`.
    pub(super) fn enter(&mut self, topics: &Topics) -> Arc<Audience> {
        if let Some(seats) = self.by_topics.get_mut(topics) {
            seats.taken += 1;
            return Arc::clone(&seats.audience);
        }
        let audience = Arc::new(Audience::default());
        let key = self.next_key;
        self.next_key += 1;
        for topic in topics.shared() {
            let audiences = self.by_topic.entry(Arc::clone(topic)).or_default();
            audiences.insert(key, Arc::clone(&audience));
        }
        let seats = Seats {
            audience: Arc::clone(&audience),
            key,
            taken: 1,
        };
        self.by_topics.insert(topics.clone(), seats);
        audience
    }

    /// Gives a seat back; the last one takes the audience with it.
    pub(super) fn leave(&mut self, topics: &Topics) {
        let Some(seats) = self.by_topics.get_mut(topics) else {
            return;
        };
        seats.taken -= 1;
        if seats.taken > 0 {
            return;
        }
        let key = seats.key;
        self.by_topics.remove(topics);
        for topic in topics.iter() {
            if let Some(audiences) = self.by_topic.get_mut(topic) {
                audiences.remove(&key);
                if audiences.is_empty() {
                    self.by_topic.remove(topic);
                }
            }
        }
    }

    /// Appends to every audience with one of the topics. Returns who is to be woken, without the lock.
    pub(super) fn append(
        &self,
        topics: &Topics,
        bytes: &Bytes,
        end: Position,
        shared: &Shared,
    ) -> Vec<Waker> {
        let audiences = topics.iter().filter_map(|topic| self.by_topic.get(topic));
        let mut wakers = Vec::new();
        if topics.len() == 1 {
            for audience in audiences.flat_map(HashMap::values) {
                audience.append(bytes, end, shared, &mut wakers);
            }
        } else {
            // An audience of several of the topics is found several times.
            for audience in audiences.flatten().collect::<HashMap<_, _>>().values() {
                audience.append(bytes, end, shared, &mut wakers);
            }
        }
        wakers
    }

    /// Lets every audience read to the end, and nobody in.
    pub(super) fn close(&mut self) -> Result<Vec<Waker>, ProviderClosed> {
        self.check_open()?;
        self.closed = true;
        let mut wakers = Vec::new();
        for seats in self.by_topics.values() {
            seats.audience.close(&mut wakers);
        }
        Ok(wakers)
    }
}
