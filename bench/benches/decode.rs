//! Decoding a stream.

use std::{hint::black_box, time::Duration};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sse_core::{
    EventId, EventType, Message,
    wire::{DecodeError, Decoder, Item},
};

/// About what a packet holds, and what is read from a connection that has much to give.
const CHUNKS: [usize; 2] = [1_400, 16 << 10];

fn decode(criterion: &mut Criterion) {
    let line = format!("{}\n", "x".repeat(63));
    let tick = Message::data(r#"{"symbol":"ACME","price":101.25,"volume":1200}"#)
        .id(EventId::from_static("1747650000123-42"))
        .event(EventType::from_static("tick"));
    // As long as the chunks in which language models answer.
    let json = format!(
        r#"{{"choices":[{{"delta":{{"content":"{}"}}}}]}}"#,
        "x".repeat(256)
    );
    let samples = [
        ("128 bytes", Message::data("x".repeat(128)), 1_000),
        ("tick", tick, 1_000),
        ("300 bytes of JSON", Message::data(json), 1_000),
        ("64 KiB in lines", Message::data(line.repeat(1 << 10)), 4),
    ];
    let mut group = criterion.benchmark_group("decode");
    for (name, message, count) in samples {
        let wire = message.to_bytes().repeat(count);
        group.throughput(Throughput::Bytes(wire.len() as u64));
        for chunk in CHUNKS {
            assert_eq!(events(&wire, chunk), Ok(count));
            group.bench_function(format!("{name}, chunks of {chunk} bytes"), |bencher| {
                bencher.iter(|| events(black_box(&wire), chunk));
            });
        }
    }
    group.finish();
}

fn events(wire: &[u8], chunk: usize) -> Result<usize, DecodeError> {
    let mut decoder = Decoder::new();
    let mut events = 0;
    for mut input in wire.chunks(chunk) {
        while let Some(item) = decoder.next(&mut input)? {
            events += usize::from(matches!(black_box(item), Item::Event(_)));
        }
    }
    Ok(events)
}

fn config() -> Criterion {
    Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
}

criterion_group! { name = benches; config = config(); targets = decode }
criterion_main!(benches);
