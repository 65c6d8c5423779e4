//! Which topics somebody listens to.

use std::{cmp::Reverse, collections::BinaryHeap, sync::Arc};

use super::{bounds::Budget, channel::Channel};
use crate::sync::HashMap;

/// The channels by topic. There is one for as long as somebody has a seat in it.
#[derive(Debug)]
pub(super) struct Registry {
    /// Readers that overflow skip what they have lost.
    skips: bool,
    channels: HashMap<Arc<str>, Seats>,
    /// Of those who listen to no topic: nothing comes through it but the end.
    without_topic: Arc<Channel>,
}

#[derive(Debug)]
struct Seats {
    channel: Arc<Channel>,
    taken: usize,
}

impl Registry {
    pub(super) fn new(skips: bool) -> Self {
        Self {
            skips,
            without_topic: Arc::new(Channel::new(skips)),
            channels: HashMap::default(),
        }
    }

    /// Takes a seat. To be given back with `leave`. The name of the topic is the one that all share.
    pub(super) fn enter(&mut self, topic: &Arc<str>) -> (Arc<str>, Arc<Channel>) {
        let entry = self.channels.entry(Arc::clone(topic));
        let name = Arc::clone(entry.key());
        let seats = entry.or_insert_with(|| Seats {
            channel: Arc::new(Channel::new(self.skips)),
            taken: 0,
        });
        seats.taken += 1;
        (name, Arc::clone(&seats.channel))
    }

    /// Gives a seat back; the last one takes the channel with it.
    pub(super) fn leave(&mut self, topic: &str) {
        let Some(seats) = self.channels.get_mut(topic) else {
            return;
        };
        seats.taken -= 1;
        if seats.taken == 0 {
            self.channels.remove(topic);
        }
    }

    /// The seat of who listens to no topic. Not to be given back.
    pub(super) fn without_topic(&self) -> Arc<Channel> {
        Arc::clone(&self.without_topic)
    }

    pub(super) fn channel(&self, topic: &str) -> Option<&Channel> {
        self.channels.get(topic).map(|seats| seats.channel.as_ref())
    }

    pub(super) fn channels(&self) -> impl Iterator<Item = &Channel> {
        let of_topics = self.channels.values().map(|seats| seats.channel.as_ref());
        of_topics.chain([self.without_topic.as_ref()])
    }

    /// Drops the oldest messages, whatever their topic, until the budget has room again.
    ///
    /// Looks at every channel, which is why a good part is freed at once.
    pub(super) fn relieve(&self, budget: &Budget) {
        let channels: Vec<&Channel> = self.channels().collect();
        let mut by_age = BinaryHeap::new();
        for (index, channel) in channels.iter().enumerate() {
            let queue = &mut channel.state().queue;
            queue.forget_joined(budget);
            by_age.extend(queue.oldest().map(|number| (Reverse(number), index)));
        }
        while !budget.is_relieved()
            && let Some((_, index)) = by_age.pop()
        {
            let queue = &mut channels[index].state().queue;
            // It may have been read meanwhile, and the newest stays.
            if queue.oldest().is_some() {
                queue.drop_oldest(budget);
            }
            by_age.extend(queue.oldest().map(|number| (Reverse(number), index)));
        }
    }
}
