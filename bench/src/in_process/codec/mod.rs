//! The wire format: events to bytes and back.

mod decode;
mod encode;

use super::measure::real;
use crate::{report::Table, scenarios::Bench};

/// An event as applications send it.
#[derive(Clone, Debug)]
struct Sample {
    /// Names its tables: lower case, with hyphens.
    name: &'static str,
    title: &'static str,
    id: Option<&'static str>,
    event: Option<&'static str>,
    data: String,
    /// How many are encoded in a row.
    count: usize,
}

pub(super) fn run(bench: &Bench) -> Vec<Table> {
    let mut tables = Vec::new();
    for sample in samples(bench) {
        tables.push(encode::table(bench, &sample));
    }
    for sample in samples(bench) {
        tables.push(decode::table(bench, &sample));
    }
    tables.push(decode::drip_table(bench));
    tables
}

fn samples(bench: &Bench) -> [Sample; 4] {
    let count = bench.size(500_000, 100);
    let tick = r#"{"symbol":"ACME","price":101.25,"volume":1200}"#;
    let chunk = concat!(
        r#"{"id":"chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG","object":"chat.completion.chunk","created":1741570283,"#,
        r#""model":"gpt-4o-2024-08-06","service_tier":"default","system_fingerprint":"fp_50cad350e4","#,
        r#""choices":[{"index":0,"delta":{"content":" measurement"},"logprobs":null,"finish_reason":null}],"usage":null}"#
    );
    let line = format!("{}\n", "x".repeat(63));
    [
        Sample {
            name: "tick",
            title: "a tick: id, type and 46 bytes of data",
            id: Some("1747650000123-42"),
            event: Some("tick"),
            data: tick.to_owned(),
            count,
        },
        Sample {
            name: "128",
            title: "128 bytes of data",
            id: None,
            event: None,
            data: "x".repeat(128),
            count,
        },
        Sample {
            name: "llm",
            title: "a chunk of an LLM's answer, about 300 bytes of JSON",
            id: None,
            event: None,
            data: chunk.to_owned(),
            count,
        },
        Sample {
            name: "64k",
            title: "64 KiB of data in lines of 64 bytes",
            id: None,
            event: None,
            data: line.repeat(1 << 10).trim_end().to_owned(),
            count: bench.size(2_000, 20),
        },
    ]
}

impl Sample {
    /// The bytes of the event on the wire, as this project writes it.
    fn wire(&self) -> bytes::Bytes {
        encode::message(self).to_bytes()
    }

    /// Gigabytes per second, if an event takes so many nanoseconds.
    fn gigabytes_per_second(&self, nanos: f64) -> f64 {
        real(self.wire().len()) / nanos
    }
}
