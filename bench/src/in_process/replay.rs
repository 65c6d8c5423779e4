//! How fast a subscriber reads a long history.

use anyhow::{Context as _, Result, ensure};
use futures_util::StreamExt as _;
use sse_core::{FiniteReplayer, Joe, ResumeFrom, Subscription, Topics, provider::Provider as _, resume::Outcome};

use super::{
    cases::{Case, fill},
    crowd::runtime,
    deliveries::{SIZE, message},
    measure::{Stopwatch, grouped, real},
};
use crate::{report::Table, scenarios::Bench};

/// More than any history here takes.
const HISTORY_BYTES: usize = 1 << 30;

pub(super) fn run(bench: &Bench) -> Vec<Table> {
    let messages = bench.size(1_000_000, 10_000);
    let mut table = Table::new(
        "replay",
        "Reading a history",
        format!(
            "`FiniteReplayer` is filled with {count} messages of {SIZE} bytes of data through `Joe`, without subscribers (\"store\"). Then \
             one subscriber resumes after the first message and reads until it has the last, each once (\"read\").",
            count = grouped(messages)
        ),
    )
    .column("store", "ns per message")
    .column("read", "ns per message")
    .column("read, CPU", "ns per message")
    .column("read", "million messages/s")
    .column("read", "MB/s");
    "history".clone_into(&mut table.subject);
    let row = format!("{} messages", grouped(messages));
    let case = Case::new(row, move || measure(messages));
    vec![fill(bench, table, [case])]
}

fn measure(messages: usize) -> Result<Vec<f64>> {
    runtime()?.block_on(async {
        let replayer = FiniteReplayer::new(messages + 1)?.max_bytes(HISTORY_BYTES);
        let joe = Joe::builder().replayer(replayer).build();
        let topics = Topics::from("news");
        let first = joe.publish(message(), topics.clone()).await?.id;
        let first = first.context("a replayer gives every message an id")?;
        let watch = Stopwatch::start();
        let mut wire = 0;
        for _ in 0..messages {
            let id = joe.publish(message(), topics.clone()).await?.id;
            wire += id.map_or(0, |id| id.as_str().len());
        }
        let [store, _] = watch.stop().each(messages);
        // Beside the ids, and their lines, all messages are the same.
        wire += messages * ("id: \n".len() + message().to_bytes().len());

        let resume = ResumeFrom::from_bytes(first.as_str().as_bytes());
        let subscription = Subscription::to(topics).resume_from(resume);
        let mut subscriber = joe.subscribe(subscription).await?;
        ensure!(
            subscriber.outcome() == Outcome::Recovered,
            "the history has lost its first message"
        );
        let watch = Stopwatch::start();
        let mut read = 0;
        while read < wire {
            let bytes = subscriber.next().await.context("the stream has ended")?;
            read += bytes.len();
        }
        let spent = watch.stop();
        ensure!(read == wire, "{read} bytes were read instead of {wire}");
        let [wall, cpu] = spent.each(messages);
        // A byte per nanosecond is a gigabyte per second.
        let megabytes = real(wire) / spent.wall * 1e3;
        Ok(vec![store, wall, cpu, 1e3 / wall, megabytes])
    })
}
