//! A history on disk: the cost of writing, reading and opening it.
//!
//! Each measurement is a process of its own, which may use two cores: a store has threads of its
//! own, and the memory that it leaves behind would be the next one's.

mod engines;
mod redb;
mod tasks;

use std::{cell::Cell, path::Path, process::Command};

use anyhow::Result;

use self::{
    engines::Engine,
    tasks::{Append, Job, Open, Publish, Read, Task},
};
use crate::{
    machine,
    payload::SIZE,
    process,
    report::{Table, whole},
    rounds::Bench,
};

pub(crate) use self::tasks::measure;

pub(crate) fn store(bench: &Bench) -> Result<Vec<Table>> {
    Ok(vec![
        append(bench),
        publish(bench),
        read(bench),
        open(bench)?,
    ])
}

/// The number of messages in a call of `append`.
const BATCHES: [u64; 3] = [1, 64, 1_024];

fn append(bench: &Bench) -> Table {
    let count = bench.size(500_000, 1_024);
    let seconds = bench.size(2.0, 0.02);
    let (many, keep) = bench.size((100_000, 80_000), (1_000, 256));
    let table = Table::new(
        "store-append",
        "Appending to a history on disk",
        format!(
            "A new history takes {} messages of {SIZE} random bytes of data, or as many as it can in {seconds} s: by `append` \
             with 1, 64 and 1,024 messages. Each message is for a random one of the topics. `Memory`, `Os` and `Disk` are what \
             an acknowledged message survives: nothing, the end of the process, the end of the machine. With a bound, what is too much is \
             dropped all the time. redb has one transaction for each call, and without sync survives what `Os` does. Wall time until the last \
             call returns; CPU time of all threads until the history is closed.",
            whole(count)
        ),
        "one at a time, thousand/s; one at a time, CPU, µs per message; 64 at once, thousand/s; \
         64 at once, CPU, µs per message; 1,024 at once, thousand/s; 1,024 at once, CPU, µs per message",
    )
    .subject("history");
    let append = |engine, topics, keep| Append {
        engine,
        topics,
        keep,
        batch: 1,
        count,
        seconds,
        kill: false,
    };
    let topics = format!("{} topics", whole(many));
    let engines = [
        Engine::Memory,
        Engine::Os,
        Engine::Disk,
        Engine::Redb,
        Engine::RedbSynced,
    ];
    let rows = engines.into_iter().flat_map(|engine| {
        let one = (format!("{engine}, 1 topic"), append(engine, 1, None));
        [
            one,
            (format!("{engine}, {topics}"), append(engine, many, None)),
        ]
    });
    let bounded = append(Engine::Os, many, Some(keep));
    let name = format!(
        "{}, {topics}, at most {} messages",
        bounded.engine,
        whole(keep)
    );
    bench.fill(table, rows.chain([(name, bounded)]), |append| {
        let mut figures = Vec::new();
        for batch in BATCHES {
            figures.extend(run(bench, Task::Append(Append { batch, ..*append }))?);
        }
        Ok(figures)
    })
}

fn publish(bench: &Bench) -> Table {
    let count = bench.size(200_000, 640);
    let seconds = bench.size(2.0, 0.02);
    let table = Table::new(
        "store-publish",
        "Publishing into a history on disk",
        format!(
            "Tasks of one thread publish {} messages of {SIZE} random bytes of data to one topic through `Joe`, or as many as they can in \
             {seconds} s, each the next one when its last is out: stored, and delivered to one subscriber, who reads all of them. CPU time is \
             that of all threads.",
            whole(count)
        ),
        "published, thousand/s; CPU, µs per message; publish p50, µs; publish p99, µs",
    )
    .subject("history");
    let engines = [Engine::Finite, Engine::Memory, Engine::Os, Engine::Disk];
    let rows = engines.into_iter().flat_map(|engine| {
        [(1, "publisher"), (64, "publishers")].map(|(publishers, noun)| {
            let publish = Publish {
                engine,
                publishers,
                count,
                seconds,
            };
            (
                format!("{engine}, {publishers} {noun}"),
                Task::Publish(publish),
            )
        })
    });
    bench.fill(table, rows, |task| run(bench, *task))
}

fn read(bench: &Bench) -> Table {
    let messages = bench.size(1_024_000, 2_048);
    let topics = bench.size(1_000, 10);
    let readers = bench.size(500, 5);
    let table = Table::new(
        "store-read",
        "Reading a history on disk",
        format!(
            "A history takes {} messages of {SIZE} random bytes of data to random ones of its topics, and is closed and opened, unless it is \
             in memory. Then a subscriber of `Joe` reads everything of one topic; with several topics, {readers} subscribers read one \
             after the other, each another topic. What the system keeps of files is in memory. Pages: the same once more, by \
             `Replayer::page`, without `Joe` and its threads.",
            whole(messages)
        ),
        "read, million messages/s; read, CPU, ns per message; read, MB/s; pages, million messages/s; \
         pages, CPU, ns per message",
    )
    .subject("history");
    let engines = [Engine::Finite, Engine::Os, Engine::Redb];
    let rows = engines.into_iter().flat_map(|engine| {
        let row = |name: String, topics, readers| {
            let read = Read {
                engine,
                messages,
                topics,
                readers,
            };
            (format!("{engine}, {name}"), Task::Read(read))
        };
        [
            row("1 topic".to_owned(), 1, 1),
            row(format!("{} topics", whole(topics)), topics, readers),
        ]
    });
    bench.fill(table, rows, |task| run(bench, *task))
}

fn open(bench: &Bench) -> Result<Table> {
    let (full, quick) = ((10_000_000, 300_000, 100_000), (5_000, 1_000, 1_000));
    let (messages, more, topics) = bench.size(full, quick);
    let table = Table::new(
        "store-open",
        "Opening a history on disk",
        format!(
            "sse-store holds {} messages of {SIZE} random bytes of data in {} topics. A process takes {} more, 64 at a time, at \
             `Os`, and closes, or kills itself with SIGKILL after the last; then another one opens it and finds all of them. \
             Resident is that process once it is open, and the most while it opened.",
            whole(messages),
            whole(topics),
            whole(more)
        ),
        "open, s; open, CPU, s; resident, MB; resident, most, MB; on disk, bytes per message",
    )
    .subject("before");
    let directory = machine::directory()?;
    let end = Cell::new(0);
    let append = |count: u64, batch, kill| {
        let append = Append {
            engine: Engine::Os,
            topics,
            keep: None,
            batch,
            count,
            // It has to be all.
            seconds: 3_600.0,
            kill,
        };
        run_in(bench, Task::Append(append), directory.path())?;
        end.set(end.get() + count.next_multiple_of(batch));
        anyhow::Ok(())
    };
    let rows = [
        ("closed", (false, false)),
        ("closed, and nothing of it in memory", (false, true)),
        ("killed", (true, false)),
        ("killed, and nothing of it in memory", (true, true)),
    ];
    Ok(bench.fill(table, rows, |&(kill, cold)| {
        if end.get() == 0 {
            append(messages, 1_024, false)?;
        }
        append(more, 64, kill)?;
        let open = Open {
            end: end.get(),
            cold,
        };
        run_in(bench, Task::Open(open), directory.path())
    }))
}

/// Measures in a new directory.
fn run(bench: &Bench, task: Task) -> Result<Vec<f64>> {
    run_in(bench, task, machine::directory()?.path())
}

/// Measures; figures as the task gives them.
fn run_in(bench: &Bench, task: Task, directory: &Path) -> Result<Vec<f64>> {
    let job = Job {
        task,
        directory: directory.to_owned(),
        cores: bench.cores,
    };
    let mut program = Command::new(std::env::current_exe()?);
    let program = program.args(["store", &serde_json::to_string(&job)?]);
    let kills_itself = matches!(task, Task::Append(Append { kill: true, .. }));
    process::figures(program, kills_itself)
}
