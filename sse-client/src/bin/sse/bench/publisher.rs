//! Events of our own, at a rate.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{Instant, interval, timeout_at},
};

use super::{Target, tally::Tally};
use crate::publish;

/// How many are being published at a time. A server that is slower than the rate gets fewer than the rate.
const IN_FLIGHT: usize = 64;

/// How long the server may take for one.
const ANSWER: Duration = Duration::from_secs(10);

/// Publishes for so long. Returns when each has been answered.
pub(super) async fn publish(rate: f64, duration: Duration, target: &Target, tally: &Arc<Tally>) {
    let end = Instant::now() + duration;
    let gate = Arc::new(Semaphore::new(IN_FLIGHT));
    // What was missed is made up for at once.
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
