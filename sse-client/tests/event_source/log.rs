//! The updates of an event source as short lines, which tests can expect.

use std::time::Duration;

use sse_client::{Backoff, Closed, Error, EventSource, Open, Report, Update};
use sse_conformance::in_time;

/// Waits that a test can afford: 20 ms, doubled each time, without jitter.
pub(crate) fn quick() -> Backoff {
    Backoff::default()
        .initial(Duration::from_millis(20))
        .min(Duration::from_millis(1))
        .jitter(0.0)
}

/// A source with a quick backoff.
pub(crate) fn get(url: impl AsRef<str>) -> EventSource {
    EventSource::get(url).backoff(quick())
}

/// Returns all updates up to the end, within the deadline.
pub(crate) async fn follow(source: &mut EventSource) -> Vec<String> {
    in_time("the end of the source", lines(source)).await
}

/// Returns all updates up to the end, within a year: for paused time.
pub(crate) async fn log(source: &mut EventSource) -> Vec<String> {
    let year = Duration::from_secs(365 * 86_400);
    let lines = tokio::time::timeout(year, lines(source)).await;
    lines.expect("the end of the source within a year")
}

async fn lines(source: &mut EventSource) -> Vec<String> {
    let mut lines = Vec::new();
    while let Some(update) = source.next().await {
        lines.push(line(&update));
    }
    lines
}

/// Returns the next update.
pub(crate) async fn next(source: &mut EventSource) -> String {
    let update = in_time("the next update", source.next()).await;
    update.as_ref().map_or("nothing".into(), line)
}

/// Returns the next event and skips the other updates before it.
pub(crate) async fn next_event(source: &mut EventSource) -> String {
    let event = in_time("the next event", source.next_event()).await;
    line(&Update::Event(event.unwrap()))
}

/// Returns the next open connection and skips the updates before it.
pub(crate) async fn opened(source: &mut EventSource) -> Open {
    loop {
        match in_time("an open connection", source.next()).await {
            Some(Update::Open(open)) => return open,
            Some(Update::Connecting(_)) => {}
            other => panic!("{other:?}"),
        }
    }
}

/// Runs the source to its end and returns the reason.
pub(crate) async fn closed(source: EventSource) -> Closed {
    in_time("the end of the source", source.run()).await
}

/// Runs the source to its end and returns the error with which it failed for good.
pub(crate) async fn failure(source: EventSource) -> Error {
    match closed(source).await {
        Closed::Failed(error) => error,
        other => panic!("failed for good, not: {other:?}"),
    }
}

fn line(update: &Update) -> String {
    match update {
        Update::Connecting(connecting) => match &connecting.error {
            None => "connecting".into(),
            Some(error) => format!("{}; again in {:?}", kind(error), connecting.wait),
        },
        Update::Open(_) => "open".into(),
        Update::Event(event) => format!("[{}] {}: {}", event.id, event.event, event.data),
        Update::Comment(text) => format!(": {text}"),
        Update::Closed(closed) => end(closed),
        other => panic!("{other:?}"),
    }
}

fn end(closed: &Closed) -> String {
    match closed {
        Closed::Stopped => "stopped".into(),
        Closed::Failed(error) => format!("failed: {}", kind(error)),
        Closed::GaveUp { failures, error } => format!("gave up after {failures}: {}", kind(error)),
        Closed::ByClient => "closed".into(),
        other => panic!("{other:?}"),
    }
}

fn kind(error: &Error) -> String {
    match error {
        Error::Ended => "ended".into(),
        Error::Lost(_) => "lost".into(),
        Error::Idle { .. } => "idle".into(),
        Error::Connect(_) => "no connection".into(),
        Error::Refused(refused) if refused.status != 200 => refused.status.as_u16().to_string(),
        Error::Build(_) => "not built".into(),
        other => Report::new(other).to_string(),
    }
}
