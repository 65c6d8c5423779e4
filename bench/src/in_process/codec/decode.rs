//! From bytes, as they come from a network, to events.

use std::{
    convert::Infallible,
    pin::pin,
    task::{Context, Poll, Waker},
};

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use eventsource_stream::Eventsource as _;
use futures_util::{Stream, TryStreamExt as _, stream};
use sse_core::{Message, wire::{Decoder as OurDecoder, Item}};
use sse_stream::SseByteStream;

use super::Sample;
use crate::{
    in_process::{
        cases::{Case, fill},
        measure::Stopwatch,
    },
    report::Table,
    scenarios::Bench,
};

/// About what a packet holds, and what is read from a connection that has much to give.
const CHUNKS: [usize; 2] = [1_400, 16 << 10];

/// Who decodes.
#[derive(Clone, Copy, Debug)]
enum Decoder {
    Ours,
    OurRead,
    EventsourceStream,
    SseStream,
}

const DECODERS: [Decoder; 4] = [
    Decoder::Ours,
    Decoder::OurRead,
    Decoder::EventsourceStream,
    Decoder::SseStream,
];

/// Events that were decoded, and the bytes of their data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Decoded {
    events: usize,
    bytes: usize,
}

pub(super) fn table(bench: &Bench, sample: &Sample) -> Table {
    let table = Table::new(
        &format!("decode-{}", sample.name),
        &format!("Decoding {}", sample.title),
        "About 2 MiB of such events, cut into chunks of 1,400 bytes and of 16 KiB wherever that falls, to events. The peers are streams and \
         give owned events, as `sse_client::read` does; `Decoder`, which is under it, lends them. CPU time of the one thread; the bytes are those on the wire. Number and size of the \
         decoded events are checked.",
    )
    .column("1,400-byte chunks, each event", "ns")
    .column("1,400-byte chunks", "GB/s")
    .column("16 KiB chunks, each event", "ns")
    .column("16 KiB chunks", "GB/s")
    .ratio(0, Decoder::EventsourceStream.name())
    .ratio(2, Decoder::EventsourceStream.name())
    .ratio(0, Decoder::SseStream.name())
    .ratio(2, Decoder::SseStream.name());
    let (passes, wire_bytes) = bench.size((20, 2 << 20), (1, 256 << 10));
    let count = wire_bytes / sample.wire().len();
    let wire = Bytes::from(sample.wire().repeat(count));
    let chunked = CHUNKS.map(|size| chunks(&wire, size));
    let chunked = &chunked;
    let cases = DECODERS.map(|decoder| {
        Case::new(decoder.name(), move || {
            let mut figures = Vec::new();
            for chunks in chunked {
                let expected = Decoded {
                    events: count,
                    bytes: count * sample.data.len(),
                };
                let watch = Stopwatch::start();
                for _ in 0..passes {
                    let result = decoder.decode(chunks)?;
                    ensure!(result == expected, "{result:?} instead of {expected:?}");
                }
                let [_, cpu] = watch.stop().each(passes * count);
                figures.extend([cpu, sample.gigabytes_per_second(cpu)]);
            }
            Ok(figures)
        })
    });
    fill(bench, table, cases)
}

/// A large event in tiny chunks: who begins anew with each of them takes a time that grows with the square of the size.
pub(super) fn drip_table(bench: &Bench) -> Table {
    let sizes = bench.size([64 << 10, 1 << 20], [4 << 10, 16 << 10]);
    let passes = bench.size(10, 1);
    let mut table = Table::new(
        "decode-drip",
        "Decoding one large event in chunks of 16 bytes",
        "An event of one line, to its end. CPU time of the one thread; the size of the decoded event is checked.",
    )
    .column("64 KiB", "ms")
    .column("1 MiB", "ms")
    .ratio(0, Decoder::SseStream.name())
    .ratio(1, Decoder::SseStream.name());
    table.notes.push(format!(
        "{} was not given the event of 1 MiB: it would take about half a minute.",
        Decoder::EventsourceStream.name()
    ));
    let streams = sizes.map(|size| {
        let wire = Message::data("x".repeat(size)).to_bytes();
        (size, chunks(&wire, 16))
    });
    bench.fill(&mut table, &DECODERS.map(Decoder::name), |row| {
        let decoder = DECODERS.into_iter().find(|it| it.name() == row);
        let decoder = decoder.context("no such decoder")?;
        let is_quadratic = matches!(decoder, Decoder::EventsourceStream);
        let passes = if is_quadratic { 1 } else { passes };
        let mut figures = vec![None, None];
        for (index, (size, chunks)) in streams.iter().enumerate() {
            if is_quadratic && index > 0 {
                continue;
            }
            let watch = Stopwatch::start();
            for _ in 0..passes {
                let result = decoder.decode(chunks)?;
                ensure!(
                    result
                        == Decoded {
                            events: 1,
                            bytes: *size
                        },
                    "{result:?} instead of one of {size} bytes"
                );
            }
            let [_, cpu] = watch.stop().each(passes);
            figures[index] = Some(cpu / 1e6);
        }
        Ok(figures)
    });
    table
}

impl Decoder {
    fn name(self) -> &'static str {
        match self {
            Self::Ours => "Decoder",
            Self::OurRead => "sse_client::read",
            Self::EventsourceStream => "eventsource-stream 0.2.3",
            Self::SseStream => "sse-stream 0.3",
        }
    }

    fn decode(self, chunks: &[Bytes]) -> Result<Decoded> {
        let input = stream::iter(chunks.iter().cloned().map(Ok::<_, Infallible>));
        match self {
            Self::Ours => ours(chunks),
            Self::OurRead => {
                let events = sse_client::read(input).map_err(|error| error.to_string());
                count(events.map_ok(|event| event.data.len()))
            }
            Self::EventsourceStream => {
                // Its error does not implement `Send` for every error of the input; the text says it all.
                let events = input.eventsource().map_err(|error| error.to_string());
                count(events.map_ok(|event| event.data.len()))
            }
            Self::SseStream => {
                let events = SseByteStream::new(input).map_err(|error| error.to_string());
                count(events.map_ok(|event| event.data.map_or(0, |data| data.len())))
            }
        }
    }
}

fn ours(chunks: &[Bytes]) -> Result<Decoded> {
    let mut ours = OurDecoder::new();
    let mut decoded = Decoded::default();
    for chunk in chunks {
        let mut input = chunk.as_ref();
        while let Some(item) = ours.next(&mut input)? {
            if let Item::Event(event) = item {
                decoded.events += 1;
                decoded.bytes += event.data.len();
            }
        }
    }
    Ok(decoded)
}

/// Polls a stream that is always ready to its end.
fn count(events: impl Stream<Item = Result<usize, String>>) -> Result<Decoded> {
    let mut events = pin!(events);
    let mut cx = Context::from_waker(Waker::noop());
    let mut decoded = Decoded::default();
    loop {
        match events.as_mut().poll_next(&mut cx) {
            Poll::Ready(Some(Ok(bytes))) => {
                decoded.events += 1;
                decoded.bytes += bytes;
            }
            Poll::Ready(Some(Err(error))) => bail!(error),
            Poll::Ready(None) => return Ok(decoded),
            Poll::Pending => bail!("a decoder waits though all of its input is there"),
        }
    }
}

fn chunks(wire: &Bytes, size: usize) -> Vec<Bytes> {
    (0..wire.len())
        .step_by(size)
        .map(|start| wire.slice(start..wire.len().min(start + size)))
        .collect()
}
