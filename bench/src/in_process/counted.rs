//! `sse-bench-counted`: a process in which every allocation is counted. Answers a question of
//! `sse-bench`, both in JSON.

mod readers;

use std::{alloc::System, array, env, fs, pin::Pin, sync::Arc, thread, time::Duration};

use anyhow::{Context as _, Result, anyhow};
use bytes::Bytes;
use futures_util::{Stream, stream};
use sse_core::{Hub, Joe, Message, Subscription, Topics, provider::Provider as _};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tokio::runtime::Runtime;

use self::readers::{Followed, Question, Readers, Spread, Turnover, runtime};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// On, so that it takes what it takes, but not due meanwhile.
const KEEP_ALIVE: Duration = Duration::from_hours(1);
/// Messages published in a row, and how often.
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

/// Bytes that are allocated now.
fn allocated() -> i64 {
    let stats = ALLOCATOR.stats();
    difference(stats.bytes_allocated, stats.bytes_deallocated)
}

/// Allocations that are alive now.
fn allocations() -> i64 {
    let stats = ALLOCATOR.stats();
    difference(stats.allocations, stats.deallocations)
}

#[expect(
    clippy::cast_possible_wrap,
    reason = "a process allocates less than 2^63 bytes in its life"
)]
fn difference(more: usize, less: usize) -> i64 {
    more as i64 - less as i64
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

/// Answers [`Question::Churn`].
fn churn(spread: Spread, threads: usize, count: usize) -> Result<i64> {
    let turnover = Turnover::new(spread)?;
    let runtimes: Vec<Runtime> = (0..threads).map(|_| runtime()).collect::<Result<_>>()?;
    let turnover = &turnover;
    let come_and_go = |count| {
        thread::scope(|scope| {
            let mut threads = Vec::new();
            for (number, runtime) in runtimes.iter().enumerate() {
                threads.push(scope.spawn(move || turnover.run(runtime, number, count)));
            }
            for thread in threads {
                thread
                    .join()
                    .map_err(|_| anyhow!("a thread has panicked"))??;
            }
            anyhow::Ok(())
        })
    };
    // What is there once, for the process, its runtimes and the topics that stay, is there before.
    come_and_go(count.min(1_000))?;
    let before = allocated();
    come_and_go(count)?;
    Ok(allocated() - before)
}

/// Answers [`Question::Memory`].
///
/// All tasks hold a boxed stream, so that they are of one size, whatever it is.
fn memory(followed: Followed, count: usize) -> Result<[i64; 4]> {
    runtime()?.block_on(async {
        let joe = Arc::new(Joe::new());
        let builder = Hub::builder(Arc::clone(&joe)).keep_alive(KEEP_ALIVE);
        let hub = builder.build();
        // What there is once, whoever comes: the wake task, the queue of the topic.
        let first = Readers::default();
        first.follow(open(followed, &joe, &hub, count).await?);
        first.gather(1).await;

        let readers = Readers::default();
        let figures = || anyhow::Ok([allocated(), allocations(), resident()?]);
        let before = figures()?;
        for number in 0..count {
            readers.follow(open(followed, &joe, &hub, number).await?);
        }
        readers.gather(count).await;
        let after = figures()?;
        let left = match followed {
            Followed::Nothing => 0,
            _ => left_after_messages(followed, &hub, &readers, count).await?,
        };
        let [bytes, pieces, resident] = array::from_fn(|index| after[index] - before[index]);
        Ok([bytes, pieces, resident, left])
    })
}

/// Bytes that are allocated after all have read everything, and were not before.
async fn left_after_messages(
    followed: Followed,
    hub: &Hub,
    readers: &Readers,
    count: usize,
) -> Result<i64> {
    let mut expected = readers.bytes();
    let message = || Message::data("x".repeat(128));
    let size = message().to_bytes().len();
    let before = allocated();
    for _ in 0..BURSTS {
        for number in 0..BURST {
            // With own topics each message is for one; then the counts stay small.
            let (topics, count) = match followed {
                Followed::BodyWithOwnTopic => (Topics::from(user(number)), 1),
                _ => (Topics::from(GLOBAL), count),
            };
            hub.publish(message(), topics).await?;
            expected += count * size;
        }
        readers.until(expected).await?;
    }
    Ok(allocated() - before)
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
