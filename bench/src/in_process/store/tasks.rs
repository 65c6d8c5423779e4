//! The hidden half: one measurement of a store, in a process of its own.

use std::{
    fs::{self, File},
    io::Write as _,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use futures_util::StreamExt as _;
use rustix::{
    fs::{Advice, fadvise},
    process::{Signal, getpid, kill_process},
};
use serde::{Deserialize, Serialize};
use sse_core::{
    Joe, ResumeFrom, Subscription, Topics,
    provider::Provider as _,
    replay::{Blocking, Cursor, Replayer as _},
    resume::Outcome,
};
use tokio::{task::JoinSet, time};

use super::engines::{Engine, History, Source};
use crate::{
    clock::{self, Latencies, Stopwatch, real, seconds},
    in_process::{
        deliveries::message,
        readers::{Readers, runtime},
    },
    machine::{Cores, kibibytes, pin},
};

/// The process is told this.
#[derive(Deserialize, Serialize)]
pub(super) struct Job {
    pub(super) task: Task,
    pub(super) directory: PathBuf,
    pub(super) cores: Cores,
}

#[derive(Clone, Copy, Deserialize, Serialize)]
pub(super) enum Task {
    Append(Append),
    Publish(Publish),
    Read(Read),
    Open(Open),
}

/// Measures once; the figures go to stdout.
pub(crate) fn measure(job: &str) -> Result<()> {
    let Job {
        task,
        directory,
        cores,
    } = serde_json::from_str(job)?;
    pin(&[cores.server, cores.readers])?;
    say(&match task {
        Task::Append(append) => append.measure(&directory)?.into(),
        Task::Publish(publish) => runtime()?.block_on(publish.measure(&directory))?.into(),
        Task::Read(read) => read.measure(&directory)?.into(),
        Task::Open(open) => open.measure(&directory)?.into(),
    })
}

/// Tells the other half.
fn say(figures: &Vec<f64>) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    serde_json::to_writer(&mut stdout, figures)?;
    Ok(stdout.flush()?)
}

/// Seconds of wall time, and of CPU time of all threads, since the start.
fn spent(watch: Stopwatch) -> [f64; 2] {
    watch.spent().each(1_000_000_000)
}

/// Appends to what is there, without anybody who reads.
#[derive(Clone, Copy, Deserialize, Serialize)]
pub(super) struct Append {
    pub(super) engine: Engine,
    pub(super) topics: usize,
    pub(super) keep: Option<u64>,
    pub(super) batch: u64,
    /// Until there are this many more, or until it has taken this many seconds.
    pub(super) count: u64,
    pub(super) seconds: f64,
    /// Kills the process in the end, instead of closing.
    pub(super) kill: bool,
}

impl Append {
    /// Thousand messages per second, and microseconds of CPU time for each.
    fn measure(self, directory: &Path) -> Result<[f64; 2]> {
        let history = self.engine.open(directory, self.keep)?;
        let mut source = Source::new(self.topics);
        let before = history.end().0;
        let watch = Stopwatch::process();
        let mut stored = 0;
        while stored < self.count && spent(watch)[0] < self.seconds {
            history.append(&mut source, self.batch, |_, _| stored += 1)?;
        }
        let [wall, _] = spent(watch);
        let added = history.end().0 - before;
        ensure!(
            added == stored,
            "{added} messages were stored instead of {stored}"
        );
        self.check_bound(&history, added)?;
        let count = real(stored);
        let figures = || [count / wall / 1e3, spent(watch)[1] * 1e6 / count];
        if self.kill {
            say(&figures().into())?;
            kill_process(getpid(), Signal::KILL)?;
        }
        drop(history);
        Ok(figures())
    }

    /// Fails unless about as many messages are left as the bound says.
    ///
    /// A batch may fill a segment with more than an eighth of what is allowed; then seven of them
    /// leave no room for another, and one more is dropped than by single messages: three quarters
    /// may be left.
    fn check_bound(&self, history: &History, added: u64) -> Result<()> {
        let (Some(keep), Some(store)) = (self.keep, &history.store) else {
            return Ok(());
        };
        let positions = store.positions();
        let kept = positions.end() + 1 - positions.start();
        let most = keep + self.batch;
        let least = added.min(keep - keep / 4).saturating_sub(self.batch);
        ensure!(
            (least..=most).contains(&kept),
            "{kept} messages are kept instead of {least} to {most}"
        );
        Ok(())
    }
}

/// Publishes through Joe into a new history.
#[derive(Clone, Copy, Deserialize, Serialize)]
pub(super) struct Publish {
    pub(super) engine: Engine,
    pub(super) publishers: usize,
    /// All together, unless that takes longer than this many seconds.
    pub(super) count: usize,
    pub(super) seconds: f64,
}

/// The publishers have these in common.
struct Shared {
    joe: Joe,
    source: Mutex<Source>,
    calls: Mutex<Latencies>,
    published: AtomicUsize,
    /// Bytes that the subscriber has to read.
    wire: AtomicUsize,
}

impl Publish {
    /// Thousand messages per second, microseconds of CPU time for each, and median and 99th
    /// percentile of a call.
    async fn measure(self, directory: &Path) -> Result<[f64; 4]> {
        // Besides the messages that are counted there may be one of each publisher.
        let keep = u64::try_from(self.count + self.publishers)?;
        let replayer = self.engine.open(directory, Some(keep * 2))?;
        let source = Source::new(1);
        let topics = source.topics[0].clone();
        let shared = Arc::new(Shared {
            joe: Joe::builder().replayer(replayer).build(),
            source: Mutex::new(source),
            calls: Mutex::new(clock::latencies()?),
            published: AtomicUsize::new(0),
            wire: AtomicUsize::new(0),
        });
        let readers = Readers::default();
        let subscription = Subscription::to(topics.clone());
        readers.follow(shared.joe.subscribe(subscription).await?);
        readers.gather(1).await;
        let watch = Stopwatch::process();
        let mut publishers = JoinSet::new();
        for _ in 0..self.publishers {
            publishers.spawn(self.publish(Arc::clone(&shared), topics.clone(), watch));
        }
        while let Some(ended) = publishers.join_next().await {
            ended??;
        }
        let [wall, _] = spent(watch);
        let expected = shared.wire.load(Ordering::Relaxed);
        let deadline = time::Instant::now() + Duration::from_secs(10);
        while readers.bytes() < expected && time::Instant::now() < deadline {
            // pace: the bytes come from other threads.
            time::sleep(Duration::from_millis(1)).await;
        }
        check_read(readers.bytes(), expected)?;
        let [_, cpu] = spent(watch);
        let count = real(shared.published.load(Ordering::Relaxed));
        let calls = shared.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let [p50, p99] = [0.5, 0.99].map(|it| seconds(calls.value_at_quantile(it)) * 1e6);
        Ok([count / wall / 1e3, cpu * 1e6 / count, p50, p99])
    }

    /// Publishes as one of the publishers.
    async fn publish(self, shared: Arc<Shared>, topics: Topics, watch: Stopwatch) -> Result<()> {
        for _ in 0..self.count / self.publishers {
            if spent(watch)[0] > self.seconds {
                break;
            }
            let source = shared.source.lock();
            let next = source.unwrap_or_else(PoisonError::into_inner).message();
            let before = clock::now();
            let published = shared.joe.publish(next, topics.clone()).await?;
            let time = clock::now() - before;
            let mut calls = shared.calls.lock().unwrap_or_else(PoisonError::into_inner);
            calls.saturating_record(time);
            let id = published
                .id
                .context("a replayer gives every message an id")?;
            let wire = message().to_bytes().len() + "id: \n".len() + id.as_str().len();
            shared.wire.fetch_add(wire, Ordering::Relaxed);
            shared.published.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Fills a history, opens it again and reads it.
#[derive(Clone, Copy, Deserialize, Serialize)]
pub(super) struct Read {
    pub(super) engine: Engine,
    pub(super) messages: u64,
    pub(super) topics: usize,
    /// The number of topics that are read, one after the other.
    pub(super) readers: usize,
}

/// Messages in a call while the history is filled.
const BATCH: u64 = 1_024;

/// The messages of a topic and their bytes.
type Content = (u64, usize);

impl Read {
    /// Through Joe: million messages per second, nanoseconds of CPU time for each, MB per second;
    /// and pages: the first two.
    fn measure(self, directory: &Path) -> Result<[f64; 5]> {
        let mut history = self.engine.open(directory, None)?;
        let mut source = Source::new(self.topics);
        let mut contents: Vec<Content> = vec![(0, 0); self.topics];
        for _ in 0..self.messages / BATCH {
            history.append(&mut source, BATCH, |topic, bytes| {
                contents[topic].0 += 1;
                contents[topic].1 += bytes;
            })?;
        }
        if self.engine != Engine::Finite {
            drop(history);
            history = self.engine.open(directory, None)?;
        }
        contents.truncate(self.readers);
        let messages: u64 = contents.iter().map(|it| it.0).sum();
        let bytes: usize = contents.iter().map(|it| it.1).sum();
        let (messages, bytes) = (real(messages), real(bytes));

        let joe = Joe::builder().replayer(history.clone()).build();
        let watch = Stopwatch::process();
        runtime()?.block_on(read_through(&joe, &source, &contents))?;
        let [wall, cpu] = spent(watch);
        let watch = Stopwatch::process();
        read_pages(&history, &source, &contents)?;
        let [pages_wall, pages_cpu] = spent(watch);
        Ok([
            messages / wall / 1e6,
            cpu * 1e9 / messages,
            bytes / wall / 1e6,
            messages / pages_wall / 1e6,
            pages_cpu * 1e9 / messages,
        ])
    }
}

async fn read_through(joe: &Joe, source: &Source, contents: &[Content]) -> Result<()> {
    for (topics, (_, expected)) in source.topics.iter().zip(contents) {
        let subscription = Subscription::to(topics.clone()).resume_from(ResumeFrom::Earliest);
        let mut subscriber = joe.subscribe(subscription).await?;
        ensure!(
            subscriber.outcome() == Outcome::Recovered,
            "there is no history"
        );
        let mut read = 0;
        while read < *expected {
            let bytes = subscriber.next().await.context("the stream has ended")?;
            read += bytes.len();
        }
        check_read(read, *expected)?;
    }
    Ok(())
}

fn read_pages(history: &History, source: &Source, contents: &[Content]) -> Result<()> {
    let end = history.end();
    for (topics, (_, expected)) in source.topics.iter().zip(contents) {
        let (mut read, mut from) = (0, Cursor::EARLIEST);
        while from.after < end {
            let page = history.page(from, end, topics, Blocking::Allowed)?;
            read += page.bytes.len();
            from = page.next;
        }
        check_read(read, *expected)?;
    }
    Ok(())
}

fn check_read(read: usize, expected: usize) -> Result<()> {
    ensure!(
        read == expected,
        "{read} bytes were read instead of {expected}"
    );
    Ok(())
}

/// Opens what is there.
#[derive(Clone, Copy, Deserialize, Serialize)]
pub(super) struct Open {
    /// The number of messages that there are.
    pub(super) end: u64,
    /// With nothing of its files in memory.
    pub(super) cold: bool,
}

impl Open {
    /// Seconds, of wall and of CPU time; MB now and at most; bytes on disk for each message.
    fn measure(self, directory: &Path) -> Result<[f64; 5]> {
        if self.cold {
            each_file(directory, &mut |file| {
                file.sync_all()?;
                Ok(fadvise(file, 0, None, Advice::DontNeed)?)
            })?;
        }
        let watch = Stopwatch::process();
        let history = Engine::Os.open(directory, None)?;
        let [wall, cpu] = spent(watch);
        let end = history.end().0;
        ensure!(
            end == self.end,
            "{end} messages are there instead of {}",
            self.end
        );
        let mut blocks = 0;
        each_file(directory, &mut |file| {
            blocks += file.metadata()?.blocks();
            Ok(())
        })?;
        let megabytes = |key| anyhow::Ok(real(kibibytes("/proc/self/status", key)?) / 1_024.0);
        let (now, most) = (megabytes("VmRSS:")?, megabytes("VmHWM:")?);
        Ok([wall, cpu, now, most, real(blocks * 512) / real(end)])
    }
}

fn each_file(directory: &Path, look: &mut impl FnMut(&File) -> Result<()>) -> Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            each_file(&entry.path(), look)?;
        } else {
            look(&File::open(entry.path())?)?;
        }
    }
    Ok(())
}
