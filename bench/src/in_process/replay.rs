//! The speed at which a subscriber reads a long history.

use anyhow::{Context as _, Result, ensure};
use futures_util::StreamExt as _;
use sse_core::{
    FiniteReplayer, Joe, ResumeFrom, Subscription, Topics, provider::Provider as _, resume::Outcome,
};

use super::{deliveries::message, readers::runtime};
use crate::{
    clock::{Stopwatch, real},
    payload::SIZE,
    report::Table,
    rounds::Bench,
};

/// The bound of the history, more than any here takes.
const HISTORY_BYTES: usize = 1 << 30;

pub(crate) fn replay(bench: &Bench) -> Result<Vec<Table>> {
    let messages = bench.size(1_000_000, 10_000);
    let table = Table::new(
        "replay",
        "Reading a history",
        format!(
            "`FiniteReplayer` is filled with {messages} messages of {SIZE} bytes of data through `Joe`, without subscribers (\"store\"). Then \
             one subscriber resumes after the first message and reads until it has the last, each once (\"read\")."
        ),
        "store, ns per message; read, ns per message; read, CPU, ns per message; read, million messages/s; read, MB/s",
    )
    .subject("history");
    let rows = [(format!("{messages} messages"), messages)];
    Ok(vec![bench.fill(table, rows, |messages| {
        runtime()?.block_on(measure(*messages))
    })])
}

async fn measure(messages: usize) -> Result<[f64; 5]> {
    let replayer = FiniteReplayer::new(messages + 1).max_bytes(HISTORY_BYTES);
    let joe = Joe::builder().replayer(replayer).build();
    let topics = Topics::from("news");
    let first = joe.publish(message(), topics.clone()).await?.id;
    let first = first.context("a replayer gives every message an id")?;
    let watch = Stopwatch::thread();
    let mut wire = 0;
    for _ in 0..messages {
        let id = joe.publish(message(), topics.clone()).await?.id;
        wire += id.map_or(0, |id| id.as_str().len());
    }
    let [store, _] = watch.spent().each(messages);
    // Apart from the ids, and their lines, all messages are the same.
    wire += messages * ("id: \n".len() + message().to_bytes().len());

    let resume = ResumeFrom::from_bytes(first.as_str().as_bytes());
    let subscription = Subscription::to(topics).resume_from(resume);
    let mut subscriber = joe.subscribe(subscription).await?;
    let is_recovered = subscriber.outcome() == Outcome::Recovered;
    ensure!(is_recovered, "the history has lost its first message");
    let watch = Stopwatch::thread();
    let mut read = 0;
    while read < wire {
        let bytes = subscriber.next().await.context("the stream has ended")?;
        read += bytes.len();
    }
    let spent = watch.spent();
    ensure!(read == wire, "{read} bytes were read instead of {wire}");
    let [wall, cpu] = spent.each(messages);
    // A byte per nanosecond is a gigabyte per second.
    let megabytes = real(wire) / spent.wall * 1e3;
    Ok([store, wall, cpu, 1e3 / wall, megabytes])
}
