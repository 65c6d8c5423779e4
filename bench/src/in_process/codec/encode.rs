//! From an event's parts to its bytes.

use std::{
    convert::Infallible,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use actix_web::body::MessageBody;
use actix_web_lab::sse as actix;
use anyhow::{Result, anyhow, bail, ensure};
use axum::response::{IntoResponse as _, sse as axum_sse};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use sse_core::{EventId, EventType, Message, SseBody};

use super::Sample;
use crate::in_process::{
    cases::{Case, fill},
    measure::Stopwatch,
};
use crate::{report::Table, scenarios::Bench};

/// Who encodes.
#[derive(Clone, Copy, Debug)]
enum Encoder {
    Message,
    SseStream,
    Body,
    Axum,
    ActixWebLab,
}

const ENCODERS: [Encoder; 5] = [
    Encoder::Message,
    Encoder::SseStream,
    Encoder::Body,
    Encoder::Axum,
    Encoder::ActixWebLab,
];

pub(super) fn table(bench: &Bench, sample: &Sample) -> Table {
    let table = Table::new(
        &format!("encode-{}", sample.name),
        &format!("Encoding {}", sample.title),
        "From borrowed text to `Bytes`: an event is built and encoded. The last three are streams of events in the body of a \
         response, polled until they end, as the frameworks do it; what the frameworks then do with the bytes is not \
         in here. CPU time of the one thread; the bytes are those on the wire.",
    )
    .column("each event", "ns")
    .column("speed", "GB/s")
    .ratio(0, Encoder::Axum.name());
    let cases = ENCODERS.map(|encoder| {
        Case::new(encoder.name(), move || {
            let watch = Stopwatch::start();
            let bytes = encoder.encode(sample)?;
            let [_, cpu] = watch.stop().each(sample.count);
            let least = sample.count * sample.data.len();
            ensure!(bytes > least, "{bytes} bytes cannot be all events");
            Ok(vec![cpu, sample.gigabytes_per_second(cpu)])
        })
    });
    fill(bench, table, cases)
}

/// The event as ours.
pub(super) fn message(sample: &Sample) -> Message {
    let mut message = Message::data(sample.data.as_str());
    // An id differs from event to event and is checked each time; types are constants of the application.
    if let Some(Ok(id)) = sample.id.map(EventId::try_from) {
        message = message.id(id);
    }
    if let Some(event) = sample.event {
        message = message.event(EventType::from_static(event));
    }
    message
}

impl Encoder {
    fn name(self) -> &'static str {
        match self {
            Self::Message => "Message::to_bytes",
            Self::SseStream => "sse-stream 0.3, Sse::encode",
            Self::Body => "SseBody::stream",
            Self::Axum => "axum 0.8, Sse",
            Self::ActixWebLab => "actix-web-lab 0.29, Sse",
        }
    }

    /// Encodes all events; returns how many bytes that gave.
    fn encode(self, sample: &Sample) -> Result<usize> {
        match self {
            Self::Message => Ok((0..sample.count)
                .map(|_| message(sample).to_bytes().len())
                .sum()),
            Self::SseStream => (0..sample.count).try_fold(0, |sum, _| {
                Ok(sum + sse_stream_event(sample).encode()?.len())
            }),
            Self::Body => {
                let own = sample.clone();
                let messages = stream::iter((0..sample.count).map(move |_| message(&own)));
                drain(SseBody::stream(messages).map(Ok::<_, Infallible>))
            }
            Self::Axum => {
                let own = sample.clone();
                let events = (0..sample.count).map(move |_| Ok::<_, Infallible>(axum_event(&own)));
                let response = axum_sse::Sse::new(stream::iter(events)).into_response();
                drain(response.into_body().into_data_stream())
            }
            Self::ActixWebLab => {
                let own = sample.clone();
                let events = (0..sample.count).map(move |_| actix_event(&own));
                let body = actix::Sse::from_infallible_stream(stream::iter(events));
                drain_message_body(body)
            }
        }
    }
}

fn sse_stream_event(sample: &Sample) -> sse_stream::Sse {
    let mut event = sse_stream::Sse::default().data(sample.data.as_str());
    if let Some(id) = sample.id {
        event = event.id(id);
    }
    if let Some(name) = sample.event {
        event = event.event(name);
    }
    event
}

fn axum_event(sample: &Sample) -> axum_sse::Event {
    let mut event = axum_sse::Event::default();
    if let Some(id) = sample.id {
        event = event.id(id);
    }
    if let Some(name) = sample.event {
        event = event.event(name);
    }
    event.data(&sample.data)
}

fn actix_event(sample: &Sample) -> actix::Event {
    let mut data = actix::Data::new(sample.data.as_str());
    if let Some(id) = sample.id {
        data = data.id(id);
    }
    if let Some(name) = sample.event {
        data = data.event(name);
    }
    data.into()
}

/// Polls a body that is always ready to its end; returns how many bytes there were.
fn drain<E>(stream: impl Stream<Item = Result<Bytes, E>>) -> Result<usize>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let mut stream = pin!(stream);
    let mut cx = Context::from_waker(Waker::noop());
    sum(|| stream.as_mut().poll_next(&mut cx))
}

/// As [`drain`], for the bodies of actix-web.
fn drain_message_body(body: impl MessageBody) -> Result<usize> {
    let mut body = pin!(body);
    let mut cx = Context::from_waker(Waker::noop());
    sum(|| {
        let piece = Pin::as_mut(&mut body).poll_next(&mut cx);
        piece.map(|piece| piece.map(|piece| piece.map_err(|error| anyhow!("{}", error.into()))))
    })
}

fn sum<E: Into<anyhow::Error>>(
    mut poll: impl FnMut() -> Poll<Option<Result<Bytes, E>>>,
) -> Result<usize> {
    let mut sum = 0;
    loop {
        match poll() {
            Poll::Ready(Some(bytes)) => sum += bytes.map_err(Into::into)?.len(),
            Poll::Ready(None) => return Ok(sum),
            Poll::Pending => bail!("a body waits though all of its events are there"),
        }
    }
}
