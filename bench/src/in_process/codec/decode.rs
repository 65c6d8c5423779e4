//! From bytes, as they come from a network, to events.

use std::convert::Infallible;

use anyhow::{Result, ensure};
use bytes::Bytes;
use eventsource_stream::Eventsource as _;
use futures_util::{Stream, TryStreamExt as _, stream};
use sse_core::{
    Message,
    wire::{Decoder, Item},
};
use sse_stream::SseByteStream;

use super::{Sample, Total, drain};
use crate::{
    clock::{Spent, Stopwatch},
    report::Table,
    rounds::Bench,
};

/// About the size of a packet, and of a read from a connection that has much to give.
const CHUNKS: [usize; 2] = [1_400, 16 << 10];

const EVENTSOURCE_STREAM: &str = "eventsource-stream 0.2.3";
const SSE_STREAM: &str = "sse-stream 0.3";

type Decode = fn(&[Bytes]) -> Result<Total>;

const DECODERS: [(&str, Decode); 4] = [
    ("Decoder", ours),
    ("sse_client::read", |chunks| {
        let events = sse_client::Events::from_stream(input(chunks));
        drain(events.map_ok(|event| event.data.len()))
    }),
    (EVENTSOURCE_STREAM, |chunks| {
        let events = input(chunks).eventsource();
        drain(events.map_ok(|event| event.data.len()))
    }),
    (SSE_STREAM, |chunks| {
        let events = SseByteStream::new(input(chunks));
        drain(events.map_ok(|event| event.data.map_or(0, |data| data.len())))
    }),
];

pub(super) fn table(bench: &Bench, sample: &Sample) -> Table {
    let table = Table::new(
        &format!("decode-{}", sample.name),
        &format!("Decoding {}", sample.title),
        "About 2 MiB of such events, cut into chunks of 1,400 bytes and of 16 KiB wherever that falls, to events. The peers are streams and \
         give owned events, as `sse_client::read` does; `Decoder`, which is under it, gives borrowed ones. CPU time of the one thread; the bytes are those on the wire. Number and size of the \
         decoded events are checked.",
        "1,400-byte chunks, each event, ns; 1,400-byte chunks, GB/s; 16 KiB chunks, each event, ns; 16 KiB chunks, GB/s",
    )
    .ratios(0, &[EVENTSOURCE_STREAM])
    .ratios(2, &[EVENTSOURCE_STREAM])
    .ratios(0, &[SSE_STREAM])
    .ratios(2, &[SSE_STREAM]);
    let (passes, wire_bytes) = bench.size((20, 2 << 20), (1, 256 << 10));
    let events = wire_bytes / sample.wire().len();
    let (items, bytes) = (events, events * sample.data.len());
    let expected = Total { items, bytes };
    let wire = Bytes::from(sample.wire().repeat(events));
    let chunked = CHUNKS.map(|size| chunks(&wire, size));
    bench.fill(table, DECODERS, |decode| {
        let mut figures = Vec::new();
        for chunks in &chunked {
            let cpu = time(*decode, chunks, passes, expected)?;
            let [_, cpu] = cpu.each(passes * events);
            figures.extend([cpu, sample.gigabytes_per_second(cpu)]);
        }
        Ok(figures)
    })
}

/// Decodes a large event in tiny chunks: a decoder that begins again with each of them takes a time
/// that grows with the square of the size.
pub(super) fn drip_table(bench: &Bench) -> Table {
    let sizes = bench.size([64 << 10, 1 << 20], [4 << 10, 16 << 10]);
    let passes = bench.size(10, 1);
    let mut table = Table::new(
        "decode-drip",
        "Decoding one large event in chunks of 16 bytes",
        "An event of one line, to its end. CPU time of the one thread; the size of the decoded event is checked.",
        "64 KiB, ms; 1 MiB, ms",
    )
    .ratios(0, &[SSE_STREAM])
    .ratios(1, &[SSE_STREAM]);
    table.notes.push(format!(
        "{EVENTSOURCE_STREAM} was not given the event of 1 MiB: it would take about half a minute."
    ));
    let streams = sizes.map(|bytes| {
        let wire = Message::data("x".repeat(bytes)).to_bytes();
        (bytes, chunks(&wire, 16))
    });
    let rows = DECODERS.map(|(name, decode)| (name, (decode, name == EVENTSOURCE_STREAM)));
    bench.fill(table, rows, |&(decode, is_quadratic)| {
        let (sizes, passes) = if is_quadratic { (1, 1) } else { (2, passes) };
        let mut figures = [f64::NAN; 2];
        for (figure, (bytes, chunks)) in figures.iter_mut().zip(&streams).take(sizes) {
            let (items, bytes) = (1, *bytes);
            let spent = time(decode, chunks, passes, Total { items, bytes })?;
            *figure = spent.each(passes)[1] / 1e6;
        }
        Ok(figures)
    })
}

/// Measures the time for decoding all chunks `passes` times.
fn time(decode: Decode, chunks: &[Bytes], passes: usize, expected: Total) -> Result<Spent> {
    let watch = Stopwatch::thread();
    for _ in 0..passes {
        let result = decode(chunks)?;
        ensure!(result == expected, "{result:?} instead of {expected:?}");
    }
    Ok(watch.spent())
}

fn ours(chunks: &[Bytes]) -> Result<Total> {
    let mut ours = Decoder::new();
    let mut decoded = Total::default();
    for chunk in chunks {
        let mut input = chunk.as_ref();
        while let Some(item) = ours.next(&mut input)? {
            if let Item::Event(event) = item {
                decoded.items += 1;
                decoded.bytes += event.data.len();
            }
        }
    }
    Ok(decoded)
}

fn input(chunks: &[Bytes]) -> impl Stream<Item = Result<Bytes, Infallible>> + Unpin {
    stream::iter(chunks.iter().cloned().map(Ok))
}

fn chunks(wire: &Bytes, size: usize) -> Vec<Bytes> {
    let chunks = wire.chunks(size);
    chunks.map(|chunk| wire.slice_ref(chunk)).collect()
}
