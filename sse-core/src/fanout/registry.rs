//! `Registry`: the topics that somebody listens to.

use std::{cmp::Reverse, collections::BinaryHeap, sync::Arc};

use super::{bounds::Budget, topic_queue::TopicQueue};
use crate::sync::HashMap;

/// The topics that somebody listens to, each with its queue.
#[derive(Debug)]
pub(super) struct Registry {
    /// Readers that overflow skip the messages that they have lost.
    skips: bool,
    topics: HashMap<Arc<str>, Topic>,
    /// The queue of listeners without topics. Only the end comes through it.
    without_topic: Arc<TopicQueue>,
}

#[derive(Debug)]
struct Topic {
    queue: Arc<TopicQueue>,
    listeners: usize,
}

impl Registry {
    pub(super) fn new(skips: bool) -> Self {
        Self {
            skips,
            without_topic: Arc::new(TopicQueue::new(skips)),
            topics: HashMap::default(),
        }
    }

    /// Counts a listener of a topic, until [`release`](Self::release). Returns the name, which all
    /// listeners of the topic share, and the queue.
    pub(super) fn acquire(&mut self, topic: &Arc<str>) -> (Arc<str>, Arc<TopicQueue>) {
        let entry = self.topics.entry(Arc::clone(topic));
        let name = Arc::clone(entry.key());
        let topic = entry.or_insert_with(|| Topic {
            queue: Arc::new(TopicQueue::new(self.skips)),
            listeners: 0,
        });
        topic.listeners += 1;
        (name, Arc::clone(&topic.queue))
    }

    /// Counts a listener out. The queue goes with the last one.
    pub(super) fn release(&mut self, name: &str) {
        let Some(topic) = self.topics.get_mut(name) else {
            return;
        };
        topic.listeners -= 1;
        if topic.listeners == 0 {
            self.topics.remove(name);
        }
    }

    /// Returns the queue of listeners without topics, which are not counted.
    pub(super) fn without_topic(&self) -> Arc<TopicQueue> {
        Arc::clone(&self.without_topic)
    }

    /// Returns the queue of a topic, if somebody listens to it.
    pub(super) fn queue(&self, topic: &str) -> Option<&TopicQueue> {
        self.topics.get(topic).map(|topic| topic.queue.as_ref())
    }

    /// Returns all queues.
    pub(super) fn queues(&self) -> impl Iterator<Item = &TopicQueue> {
        let of_topics = self.topics.values().map(|topic| topic.queue.as_ref());
        of_topics.chain([self.without_topic.as_ref()])
    }

    /// Drops the oldest messages, of whatever topic, until the budget has room again.
    ///
    /// Looks at every queue, which is why a good part of the budget is freed at once.
    pub(super) fn relieve(&self, budget: &Budget) {
        let queues: Vec<&TopicQueue> = self.queues().collect();
        let mut by_age = BinaryHeap::new();
        for (index, queue) in queues.iter().enumerate() {
            let queue = &mut queue.state().queue;
            queue.forget_joined(budget);
            by_age.extend(queue.oldest().map(|number| (Reverse(number), index)));
        }
        while !budget.is_relieved()
            && let Some((_, index)) = by_age.pop()
        {
            let queue = &mut queues[index].state().queue;
            // It may have been read meanwhile, and the newest stays.
            if queue.oldest().is_some() {
                queue.drop_oldest(budget);
            }
            by_age.extend(queue.oldest().map(|number| (Reverse(number), index)));
        }
    }
}
