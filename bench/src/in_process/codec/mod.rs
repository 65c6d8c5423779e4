//! The wire format: events to bytes and back.

mod decode;
mod encode;

use std::{
    fmt::Display,
    future::Future as _,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use anyhow::{Result, anyhow, ensure};
use futures_util::{Stream, StreamExt as _};

use crate::{clock::real, report::Table, rounds::Bench};

/// An event as applications send it.
#[derive(Clone)]
struct Sample {
    /// The end of its tables' names: lower case, with hyphens.
    name: &'static str,
    title: &'static str,
    id_and_type: Option<(&'static str, &'static str)>,
    data: String,
    /// The number of them that are encoded in a row.
    count: usize,
}

pub(crate) fn codec(bench: &Bench) -> Result<Vec<Table>> {
    let samples = samples(bench);
    let mut tables = Vec::new();
    tables.extend(samples.iter().map(|sample| encode::table(bench, sample)));
    tables.extend(samples.iter().map(|sample| decode::table(bench, sample)));
    tables.push(decode::drip_table(bench));
    Ok(tables)
}

fn samples(bench: &Bench) -> [Sample; 4] {
    let count = bench.size(500_000, 100);
    let tick = r#"{"symbol":"ACME","price":101.25,"volume":1200}"#;
    let chunk = concat!(
        r#"{"id":"chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG","object":"chat.completion.chunk","created":1741570283,"#,
        r#""model":"gpt-4o-2024-08-06","service_tier":"default","system_fingerprint":"fp_50cad350e4","#,
        r#""choices":[{"index":0,"delta":{"content":" measurement"},"logprobs":null,"finish_reason":null}],"usage":null}"#
    );
    let lines = format!("{}\n", "x".repeat(63)).repeat(1 << 10);
    let sample = |name, title, data: &str, count| Sample {
        name,
        title,
        id_and_type: None,
        data: data.to_owned(),
        count,
    };
    let mut samples = [
        sample("tick", "a tick: id, type and 46 bytes of data", tick, count),
        sample("128", "128 bytes of data", &"x".repeat(128), count),
        sample(
            "llm",
            "a chunk of an LLM's answer, about 300 bytes of JSON",
            chunk,
            count,
        ),
        sample(
            "64k",
            "64 KiB of data in lines of 64 bytes",
            lines.trim_end(),
            bench.size(2_000, 20),
        ),
    ];
    samples[0].id_and_type = Some(("1747650000123-42", "tick"));
    samples
}

impl Sample {
    /// Returns the bytes of the event on the wire, as this project writes it.
    fn wire(&self) -> bytes::Bytes {
        encode::message(self).to_bytes()
    }

    /// Returns gigabytes per second, for an event that takes this number of nanoseconds.
    fn gigabytes_per_second(&self, nanos: f64) -> f64 {
        real(self.wire().len()) / nanos
    }
}

/// The number of items and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Total {
    items: usize,
    bytes: usize,
}

/// Notes that a task was woken.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Polls a stream of sizes to its end. It may pause to let other tasks run, but all of its input is
/// there.
fn drain<E: Display>(sizes: impl Stream<Item = Result<usize, E>>) -> Result<Total> {
    let drain = async {
        let mut sizes = pin!(sizes);
        let mut total = Total::default();
        while let Some(bytes) = sizes.next().await {
            total.items += 1;
            total.bytes += bytes.map_err(|error| anyhow!("{error}"))?;
        }
        Ok(total)
    };
    let mut drain = pin!(drain);
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut cx = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(total) = drain.as_mut().poll(&mut cx) {
            return total;
        }
        let is_paused = woken.0.swap(false, Ordering::Relaxed);
        ensure!(is_paused, "a stream waits though all of its input is there");
    }
}
