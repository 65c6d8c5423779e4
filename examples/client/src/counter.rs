//! Counters that are published as events.

use std::sync::atomic::{AtomicU64, Ordering};

use sse_axum::{EventType, Hub, Message, PublishError};

use crate::METRICS;

/// A number that only grows. No increment is lost if several tasks count at once.
#[derive(Debug)]
pub struct Counter {
    name: EventType,
    value: AtomicU64,
}

impl Counter {
    /// Creates a counter at 0.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name: EventType::from_static(name),
            value: AtomicU64::new(0),
        }
    }

    /// Returns the name of the counter.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// Returns the current value.
    pub fn value(&self) -> u64 {
        self.value.load(Ordering::Relaxed)
    }

    /// Adds one and returns the new value.
    pub fn increment(&self) -> u64 {
        self.value.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Adds one and publishes an event that has the name of the counter as its type, and the new
    /// value as its data.
    pub async fn publish_next(&self, hub: &Hub) -> Result<(), PublishError> {
        let message = Message::data(self.increment().to_string()).event(self.name.clone());
        hub.publish(message, METRICS).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Barrier, thread};

    use super::*;

    #[test]
    fn nothing_is_lost_when_several_count_at_once() {
        let counter = Counter::new("ops");
        let start = Barrier::new(4);
        thread::scope(|threads| {
            for _ in 0..4 {
                threads.spawn(|| {
                    start.wait();
                    for _ in 0..250_000 {
                        counter.increment();
                    }
                });
            }
        });
        assert_eq!(counter.value(), 1_000_000);
    }
}
