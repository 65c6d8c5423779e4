//! What a subscriber takes.

use std::{fs, pin::Pin, sync::Arc, time::Duration};

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use futures_util::{Stream, stream};
use sse_core::{Hub, Joe, Message, Subscription, Topics, provider::Provider as _};

use crate::{
    allocated, allocations,
    crowd::{Crowd, runtime},
};

/// On, so that it takes what it takes, but not due meanwhile.
const KEEP_ALIVE: Duration = Duration::from_hours(1);
/// Messages published in a row, and how often.
const BURST: usize = 10;
const BURSTS: usize = 10;
/// What `/proc` counts in.
const PAGE_BYTES: i64 = 4096;

/// What the tasks follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A stream that is never ready: the tasks alone.
    Nothing,
    Subscriber,
    Body,
    BodyWithoutKeepAlive,
    BodyWithOwnTopic,
    BodyWithTwoTopics,
}

type Boxed = Pin<Box<dyn Stream<Item = Bytes> + Send>>;

/// Bytes allocated, live allocations and resident bytes of so many tasks that follow such a stream and wait; and
/// the bytes that are left after messages have been read by all.
///
/// All tasks hold a boxed stream, so that they are of one size, whatever it is.
pub(crate) fn measure(kind: &str, count: usize) -> Result<Vec<i64>> {
    let kind = Kind::named(kind)?;
    let runtime = runtime()?;
    runtime.block_on(async {
        let joe = Arc::new(Joe::new());
        let hub = Hub::builder(Arc::clone(&joe))
            .keep_alive(KEEP_ALIVE)
            .build();
        // What there is once, whoever comes: the task that wakes others, the queue of the topic.
        let first = Crowd::default();
        first.follow(kind.open(&joe, &hub, count).await?);
        first.gather(1).await;

        let crowd = Crowd::default();
        let before = [allocated(), allocations(), resident()?];
        for number in 0..count {
            crowd.follow(kind.open(&joe, &hub, number).await?);
        }
        crowd.gather(count).await;
        let after = [allocated(), allocations(), resident()?];
        let left = match kind {
            Kind::Nothing => 0,
            _ => left_after_messages(kind, &hub, &crowd, count).await?,
        };
        let [bytes, pieces, resident] = [0, 1, 2].map(|index| after[index] - before[index]);
        Ok(vec![bytes, pieces, resident, left])
    })
}

/// What is allocated after all have read everything, and was not before.
async fn left_after_messages(kind: Kind, hub: &Hub, crowd: &Crowd, count: usize) -> Result<i64> {
    let mut expected = crowd.bytes();
    let message = || Message::data("x".repeat(128));
    let size = message().to_bytes().len();
    let before = allocated();
    for _ in 0..BURSTS {
        for number in 0..BURST {
            // With own topics each message is for one; then the counts stay small.
            let (topics, readers) = match kind {
                Kind::BodyWithOwnTopic => (Topics::from(user(number)), 1),
                _ => (Topics::from(GLOBAL), count),
            };
            hub.publish(message(), topics).await?;
            expected += readers * size;
        }
        crowd.until(expected).await?;
    }
    Ok(allocated() - before)
}

const GLOBAL: &str = "global";

impl Kind {
    fn named(name: &str) -> Result<Self> {
        Ok(match name {
            "nothing" => Self::Nothing,
            "subscriber" => Self::Subscriber,
            "body" => Self::Body,
            "body-without-keep-alive" => Self::BodyWithoutKeepAlive,
            "body-own-topic" => Self::BodyWithOwnTopic,
            "body-two-topics" => Self::BodyWithTwoTopics,
            _ => bail!("there is no stream `{name}`"),
        })
    }

    async fn open(self, joe: &Joe, hub: &Hub, number: usize) -> Result<Boxed> {
        let global = || Subscription::to(GLOBAL);
        Ok(match self {
            Self::Nothing => Box::pin(stream::pending()),
            Self::Subscriber => Box::pin(joe.subscribe(global()).await?),
            Self::Body => Box::pin(hub.subscribe(global()).await?),
            Self::BodyWithoutKeepAlive => Box::pin(hub.subscribe(global()).await?.keep_alive(None)),
            Self::BodyWithOwnTopic => {
                Box::pin(hub.subscribe(Subscription::to(user(number))).await?)
            }
            Self::BodyWithTwoTopics => {
                let topics = [GLOBAL.to_owned(), user(number)];
                Box::pin(hub.subscribe(Subscription::to(topics)).await?)
            }
        })
    }
}

fn user(number: usize) -> String {
    format!("user:{number}")
}

/// Bytes of this process that are in memory.
fn resident() -> Result<i64> {
    let text = fs::read_to_string("/proc/self/statm").context("cannot read /proc/self/statm")?;
    let pages = text
        .split(' ')
        .nth(1)
        .context("/proc/self/statm is too short")?;
    Ok(pages.parse::<i64>()? * PAGE_BYTES)
}
