//! Encoding a message.

use std::{hint::black_box, time::Duration};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sse_core::{EventId, EventType, Message};

fn encode(criterion: &mut Criterion) {
    let line = format!("{}\n", "x".repeat(63));
    let samples = [
        ("128 bytes", Message::data("x".repeat(128))),
        (
            "tick",
            Message::data(r#"{"symbol":"ACME","price":101.25,"volume":1200}"#)
                .id(EventId::from_static("1747650000123-42"))
                .event(EventType::from_static("tick")),
        ),
        ("64 KiB in lines", Message::data(line.repeat(1 << 10))),
    ];
    let mut group = criterion.benchmark_group("encode");
    for (name, message) in samples {
        group.throughput(Throughput::Bytes(message.to_bytes().len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| black_box(&message).to_bytes());
        });
    }
    group.finish();
}

fn config() -> Criterion {
    Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
}

criterion_group! { name = benches; config = config(); targets = encode }
criterion_main!(benches);
