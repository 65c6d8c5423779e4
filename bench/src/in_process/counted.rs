//! `sse-bench-counted`: a process in which every allocation is counted. It answers a question of
//! `sse-bench`; both are JSON.

mod readers;

use std::{alloc::System, env, fs, pin::Pin, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use futures_util::{Stream, stream};
use sse_core::{Hub, Joe, Message, Subscription, Topics, provider::Provider as _};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tokio::runtime::Runtime;

use self::readers::{Followed, Question, Readers, Spread, Turnover, on_threads, runtime};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// An interval for a keep-alive that is set and takes its memory, but is never due.
const KEEP_ALIVE: Duration = Duration::from_hours(1);
/// Messages that are published in a row, and the number of times.
const BURST: usize = 10;
const BURSTS: usize = 10;
/// The unit in which `/proc` counts.
const PAGE_BYTES: i64 = 4096;

const GLOBAL: &str = "global";

type Boxed = Pin<Box<dyn Stream<Item = Bytes> + Send>>;

fn main() -> Result<()> {
    let question = env::args()
        .nth(1)
        .context("`sse-bench` runs this, with a question")?;
    let figures = match serde_json::from_str(&question)? {
        Question::Memory { stream, count } => memory(stream, count)?.into(),
        Question::Churn {
            spread,
            threads,
            count,
        } => vec![churn(spread, threads, count)?],
    };
    println!("{}", serde_json::to_string(&figures)?);
    Ok(())
}

/// Returns the bytes and the pieces that have been allocated since the start of the region, and not
/// been freed.
fn allocated(region: &Region<'_, System>) -> Result<[i64; 2]> {
    let stats = region.change();
    let difference =
        |more: usize, less: usize| anyhow::Ok(i64::try_from(more)? - i64::try_from(less)?);
    let bytes = difference(stats.bytes_allocated, stats.bytes_deallocated)?;
    Ok([bytes, difference(stats.allocations, stats.deallocations)?])
}

/// Returns the bytes of this process that are in memory.
fn resident() -> Result<i64> {
    let text = fs::read_to_string("/proc/self/statm")?;
    let pages = text.split(' ').nth(1);
    let pages = pages.context("/proc/self/statm is too short")?;
    Ok(pages.parse::<i64>()? * PAGE_BYTES)
}

/// Answers [`Question::Churn`].
fn churn(spread: Spread, threads: usize, count: usize) -> Result<i64> {
    let turnover = Turnover::new(spread)?;
    let runtimes: Vec<Runtime> = (0..threads).map(|_| runtime()).collect::<Result<_>>()?;
    let come_and_go = |count| {
        on_threads(&runtimes, |thread, runtime| {
            turnover.run(runtime, thread, count)
        })
    };
    // The process, its runtimes and the topics that stay have allocated their memory before.
    come_and_go(count.min(1_000))?;
    let region = Region::new(ALLOCATOR);
    come_and_go(count)?;
    Ok(allocated(&region)?[0])
}

/// Answers [`Question::Memory`].
///
/// All tasks hold a boxed stream, so that they are of one size.
fn memory(followed: Followed, count: usize) -> Result<[i64; 4]> {
    runtime()?.block_on(async {
        let joe = Arc::new(Joe::new());
        let builder = Hub::builder(Arc::clone(&joe)).keep_alive(KEEP_ALIVE);
        let hub = builder.build();
        // Allocated once, for all subscribers: the wake task, the queue of the topic.
        let first = Readers::default();
        first.follow(open(followed, &joe, &hub, count).await?);
        first.gather(1).await;

        let readers = Readers::default();
        let (region, resident_before) = (Region::new(ALLOCATOR), resident()?);
        for number in 0..count {
            readers.follow(open(followed, &joe, &hub, number).await?);
        }
        readers.gather(count).await;
        let [bytes, pieces] = allocated(&region)?;
        let resident = resident()? - resident_before;
        let left = match followed {
            Followed::Nothing => 0,
            _ => left_after_messages(followed, &hub, &readers, count).await?,
        };
        Ok([bytes, pieces, resident, left])
    })
}

/// Returns the bytes that are allocated after all have read everything, and were not before.
async fn left_after_messages(
    followed: Followed,
    hub: &Hub,
    readers: &Readers,
    count: usize,
) -> Result<i64> {
    let mut expected = readers.bytes();
    let message = || Message::data("x".repeat(128));
    let size = message().to_bytes().len();
    let region = Region::new(ALLOCATOR);
    for _ in 0..BURSTS {
        for number in 0..BURST {
            // With own topics each message is for one subscriber; then the counts stay small.
            let (topics, count) = match followed {
                Followed::BodyWithOwnTopic => (Topics::from(user(number)), 1),
                _ => (Topics::from(GLOBAL), count),
            };
            hub.publish(message(), topics).await?;
            expected += count * size;
        }
        readers.until(expected).await?;
    }
    Ok(allocated(&region)?[0])
}

async fn open(followed: Followed, joe: &Joe, hub: &Hub, number: usize) -> Result<Boxed> {
    let body = async |topics: Topics| hub.subscribe(Subscription::to(topics)).await;
    Ok(match followed {
        Followed::Nothing => Box::pin(stream::pending()),
        Followed::Subscriber => Box::pin(joe.subscribe(Subscription::to(GLOBAL)).await?),
        Followed::Body => Box::pin(body(GLOBAL.into()).await?),
        Followed::BodyWithoutKeepAlive => Box::pin(body(GLOBAL.into()).await?.keep_alive(None)),
        Followed::BodyWithOwnTopic => Box::pin(body(user(number).into()).await?),
        Followed::BodyWithTwoTopics => {
            Box::pin(body([GLOBAL.to_owned(), user(number)].into()).await?)
        }
    })
}

fn user(number: usize) -> String {
    format!("user:{number}")
}
