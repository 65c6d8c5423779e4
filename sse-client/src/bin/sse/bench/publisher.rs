//! The events that `sse bench` publishes itself, at a rate.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{Instant, interval, timeout_at},
};

use super::{Target, tally::Tally};
use crate::publish;

/// The most publishes at a time. A server that is slower than the rate gets fewer than the rate.
const IN_FLIGHT: usize = 64;

/// The time limit for the answer to one.
const ANSWER: Duration = Duration::from_secs(10);

/// Publishes for the given time. Returns when every publish has been answered.
pub(super) async fn publish(rate: f64, duration: Duration, target: &Target, tally: &Arc<Tally>) {
    let end = Instant::now() + duration;
    let gate = Arc::new(Semaphore::new(IN_FLIGHT));
    // Ticks that were missed follow at once.
    let mut ticks = interval(Duration::from_secs_f64(1.0 / rate));
    let mut under_way = JoinSet::new();
    while let Ok(tick) = timeout_at(end, ticks.tick()).await {
        let Ok(Ok(permit)) = timeout_at(end, Arc::clone(&gate).acquire_owned()).await else {
            break;
        };
        if tick >= end || Instant::now() >= end {
            break;
        }
        let request = target.publish().timeout(ANSWER);
        let tally = Arc::clone(tally);
        under_way.spawn(async move {
            let result = publish::publish(request, tally.stamp()).await;
            tally.published(result.map(drop));
            drop(permit);
        });
        while under_way.try_join_next().is_some() {}
    }
    while under_way.join_next().await.is_some() {}
}
