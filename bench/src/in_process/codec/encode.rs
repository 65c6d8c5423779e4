//! From an event's parts to its bytes.

use std::{convert::Infallible, pin::pin};

use actix_web::body::MessageBody as _;
use actix_web_lab::sse as actix;
use anyhow::{Result, ensure};
use axum::response::{IntoResponse as _, sse as axum_sse};
use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};
use sse_core::{EventId, EventType, Message, SseBody};

use super::{Sample, drain};
use crate::{clock::Stopwatch, report::Table, rounds::Bench};

/// Encodes the events of a sample one after the other; returns the number of bytes.
type Encode = fn(&Sample) -> Result<usize>;

const AXUM: &str = "axum 0.8, Sse";

const ENCODERS: [(&str, Encode); 5] = [
    ("Message::to_bytes", |sample| {
        let bytes = (0..sample.count).map(|_| message(sample).to_bytes());
        Ok(bytes.map(|bytes| bytes.len()).sum())
    }),
    ("sse-stream 0.3, Sse::encode", |sample| {
        (0..sample.count).try_fold(0, |sum, _| {
            Ok(sum + sse_stream_event(sample).encode()?.len())
        })
    }),
    ("SseBody::stream", |sample| {
        let body = SseBody::stream(events(sample, message));
        let sizes = body.map(|bytes| Ok::<_, Infallible>(bytes.len()));
        Ok(drain(sizes)?.bytes)
    }),
    (AXUM, |sample| {
        let events = events(sample, axum_event).map(Ok::<_, Infallible>);
        let response = axum_sse::Sse::new(events).into_response();
        let body = response.into_body().into_data_stream();
        Ok(drain(body.map_ok(|bytes| bytes.len()))?.bytes)
    }),
    ("actix-web-lab 0.29, Sse", |sample| {
        let events = events(sample, actix_event);
        let mut body = pin!(actix::Sse::from_infallible_stream(events));
        let body = stream::poll_fn(|cx| body.as_mut().poll_next(cx));
        Ok(drain(body.map_ok(|bytes| bytes.len()))?.bytes)
    }),
];

pub(super) fn table(bench: &Bench, sample: &Sample) -> Table {
    let table = Table::new(
        &format!("encode-{}", sample.name),
        &format!("Encoding {}", sample.title),
        "From borrowed text to `Bytes`: an event is built and encoded. The last three are streams of events in the body of a \
         response, polled until they end, as the frameworks do it; what the frameworks then do with the bytes is not \
         in here. CPU time of the one thread; the bytes are those on the wire.",
        "each event, ns; speed, GB/s",
    )
    .ratios(0, &[AXUM]);
    bench.fill(table, ENCODERS, |encode| {
        let watch = Stopwatch::thread();
        let bytes = encode(sample)?;
        let [_, cpu] = watch.spent().each(sample.count);
        let least = sample.count * sample.data.len();
        ensure!(bytes > least, "{bytes} bytes cannot be all events");
        Ok([cpu, sample.gigabytes_per_second(cpu)])
    })
}

/// Returns a stream of events, each of which is built when it is polled for.
fn events<T>(sample: &Sample, event: fn(&Sample) -> T) -> impl Stream<Item = T> + use<T> {
    let own = sample.clone();
    stream::iter((0..sample.count).map(move |_| event(&own)))
}

/// Builds the event as a message of this project.
pub(super) fn message(sample: &Sample) -> Message {
    let message = Message::data(sample.data.as_str());
    // An id differs from event to event and is checked each time; types are constants in
    // applications.
    if let Some((id, name)) = sample.id_and_type
        && let Ok(id) = EventId::try_from(id)
    {
        return message.id(id).event(EventType::from_static(name));
    }
    message
}

fn sse_stream_event(sample: &Sample) -> sse_stream::Sse {
    let event = sse_stream::Sse::default().data(sample.data.as_str());
    match sample.id_and_type {
        Some((id, name)) => event.id(id).event(name),
        None => event,
    }
}

fn axum_event(sample: &Sample) -> axum_sse::Event {
    let event = axum_sse::Event::default();
    let event = match sample.id_and_type {
        Some((id, name)) => event.id(id).event(name),
        None => event,
    };
    event.data(&sample.data)
}

fn actix_event(sample: &Sample) -> actix::Event {
    let data = actix::Data::new(sample.data.as_str());
    let data = match sample.id_and_type {
        Some((id, name)) => data.id(id).event(name),
        None => data,
    };
    data.into()
}
