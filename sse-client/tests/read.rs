//! The events of every kind of body.

use std::{convert::Infallible, io};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http_body_util::Full;
use serde::Deserialize;
use sse_client::{Event, Events, JsonError, Limits, ReadError, Report};

const STREAM: &str =
    "id: 1\ndata: a\n\nevent: tick\ndata: b\ndata: c\n\n: alive\ndata: unfinished\n";

fn event(id: &str, event: &str, data: &str) -> Event {
    Event {
        id: id.into(),
        event: event.to_owned().into(),
        data: data.into(),
    }
}

fn expected() -> [Event; 2] {
    [event("1", "message", "a"), event("1", "tick", "b\nc")]
}

/// Chunks of three bytes, so that everything is cut somewhere.
fn chunks() -> impl futures_util::Stream<Item = Result<&'static [u8], Infallible>> {
    stream::iter(STREAM.as_bytes().chunks(3).map(Ok))
}

#[tokio::test]
async fn a_stream_of_bytes_is_read() {
    let events: Vec<_> = Events::from_stream(chunks())
        .map(Result::unwrap)
        .collect()
        .await;
    assert_eq!(events, expected());
}

#[tokio::test]
async fn a_body_is_read() {
    let events: Vec<_> = Events::from_body(Full::new(Bytes::from_static(STREAM.as_bytes())))
        .map(Result::unwrap)
        .collect()
        .await;
    assert_eq!(events, expected());
}

#[tokio::test]
async fn an_async_reader_is_read() {
    let (reader, mut writer) = tokio::io::duplex(5);
    let writing = tokio::spawn(async move {
        tokio::io::AsyncWriteExt::write_all(&mut writer, STREAM.as_bytes()).await
    });
    let mut events = Events::from_async_read(reader);
    for expected in expected() {
        assert_eq!(events.next().await.unwrap().unwrap(), expected);
    }
    assert!(events.next().await.is_none());
    assert!(events.next().await.is_none(), "it stays ended");
    assert_eq!(events.last_event_id(), "1");
    writing.await.unwrap().unwrap();
}

#[test]
fn a_blocking_reader_is_read() {
    let mut events = Events::from_read(STREAM.as_bytes());
    let all: Vec<_> = events.by_ref().map(Result::unwrap).collect();
    assert_eq!(all, expected());
    assert_eq!(events.last_event_id(), "1");
}

#[tokio::test]
async fn an_error_of_the_body_follows_the_events_before_it() {
    let body = stream::iter([
        Ok("data: a\n\ndata: b\n"),
        Err(io::Error::other("cable cut")),
    ]);
    let mut events = Events::from_stream(body);
    assert_eq!(events.next().await.unwrap().unwrap().data, "a");
    let error = events.next().await.unwrap().unwrap_err();
    assert!(matches!(error, ReadError::Body(_)), "{error:?}");
    assert_eq!(
        Report::new(&error).to_string(),
        "the event stream broke off: cable cut"
    );
    assert!(events.next().await.is_none());
}

#[tokio::test]
async fn a_limit_is_named_by_its_error() {
    let limits = Limits::default().event_bytes(4);
    let mut events = Events::from_stream(chunks()).limits(limits);
    assert!(events.next().await.unwrap().is_ok());
    assert!(events.next().await.unwrap().is_ok());
    let error = events.next().await;
    assert!(error.is_some_and(|event| event.unwrap_err().to_string().contains("4 bytes")));
}

#[tokio::test]
async fn an_answer_ends_at_done() {
    let body = "data: 1\n\ndata: [DONE]\n\ndata: 2\n\n";
    let body = stream::iter([Ok::<_, Infallible>(body)]);
    let events: Vec<_> = Events::from_stream(body)
        .until_done()
        .map(Result::unwrap)
        .collect()
        .await;
    assert_eq!(events, [event("", "message", "1")]);
    let blocking = Events::from_read(&b"data: 1\n\ndata: [DONE]\n\n"[..]).until_done();
    assert_eq!(blocking.count(), 1);
}

#[tokio::test]
async fn an_answer_that_ends_before_done_is_incomplete() {
    let mut events = Events::from_stream(chunks()).until_done();
    for event in expected() {
        assert_eq!(events.next().await.unwrap().unwrap(), event);
    }
    let error = events.next().await.unwrap().unwrap_err();
    assert!(matches!(&error, ReadError::Incomplete { expected, .. } if expected == "[DONE]"));
    let printed = format!("{error:?}");
    assert_eq!(printed, error.to_string(), "as by a `main` that returns it");
    assert!(events.next().await.is_none());
    let mut blocking = Events::from_read(&b"data: 1\n\n"[..]).until("end").skip(1);
    assert!(matches!(
        blocking.next(),
        Some(Err(ReadError::Incomplete { .. }))
    ));
}

#[tokio::test]
async fn json_asks_for_done_only_if_told_to() {
    let body = || stream::iter([Ok::<_, Infallible>("data: {\"text\":\"Hel\"}\n\n")]);
    let mut lax = Events::from_stream(body()).json::<Delta>();
    assert!(lax.next().await.unwrap().is_ok());
    assert!(lax.next().await.is_none());
    let mut strict = Events::from_stream(body()).until_done().json::<Delta>();
    assert!(strict.next().await.unwrap().is_ok());
    let error = strict.next().await.unwrap().unwrap_err();
    assert!(matches!(
        error,
        JsonError::Read(ReadError::Incomplete { .. })
    ));
}

#[derive(Debug, PartialEq, Deserialize)]
struct Delta {
    text: String,
}

#[tokio::test]
async fn json_data_comes_as_values_and_other_data_is_an_error() {
    let body = "data: {\"text\":\"Hel\"}\n\n\
                data: {\"error\":\"overloaded\"}\n\n\
                data: {\"text\":\"lo\"}\n\n\
                data: [DONE]\n\n";
    let body = stream::iter([Ok::<_, Infallible>(body)]);
    let mut deltas = Events::from_stream(body).json::<Delta>();
    assert_eq!(deltas.next().await.unwrap().unwrap().text, "Hel");
    let error = deltas.next().await.unwrap().unwrap_err();
    assert!(matches!(&error, JsonError::Data { event, .. } if event.data.contains("overloaded")));
    assert!(error.to_string().contains("overloaded"), "{error}");
    assert_eq!(deltas.next().await.unwrap().unwrap().text, "lo");
    assert!(deltas.next().await.is_none());
}

/// Returns the texts of the errors of a body that is read by each of: to its end, to `[DONE]`, and
/// as JSON.
async fn errors(body: &'static str) -> [Option<String>; 3] {
    let events = || Events::from_stream(stream::iter([Ok::<_, Infallible>(body)]));
    let last = |results: Vec<Result<Event, ReadError>>| {
        let error = results.into_iter().find_map(Result::err);
        error.map(|error| error.to_string())
    };
    let values: Vec<_> = events().json::<serde_json::Value>().collect().await;
    let value = values.into_iter().find_map(Result::err);
    [
        last(events().collect().await),
        last(events().until_done().collect().await),
        value.map(|error| error.to_string()),
    ]
}

#[tokio::test]
async fn a_body_without_an_event_does_not_end_in_silence() {
    for body in [
        "{\"error\":\"context size\"}",
        "{\n  \"error\":\n    \"context size\"\n}\n",
        ": comment\n\nerror: context size\n\n",
    ] {
        for error in errors(body).await {
            assert!(
                error.as_ref().unwrap().contains("context size"),
                "{error:?}"
            );
        }
        let error = Events::from_read(body.as_bytes())
            .next()
            .unwrap()
            .unwrap_err();
        assert!(matches!(error, ReadError::NoEvents { .. }), "{error:?}");
    }
    for body in ["", ": comment\n\n", "id: 1\n\n", "data: {}\n\n"] {
        let [to_end, to_done, json] = errors(body).await;
        assert_eq!((to_end, json), (None, None), "{body:?}");
        assert!(to_done.unwrap().ends_with("not complete"));
    }
}

#[tokio::test]
async fn text_where_an_end_was_expected_is_shown() {
    let [to_end, to_done, json] = errors("data: {}\n\nerror: {\"message\":\"context\"}\n\n").await;
    assert_eq!(to_end, None, "the standard ignores it");
    let ended_with = "error: {\"message\":\"context\"}";
    assert!(to_done.unwrap().ends_with(ended_with));
    assert!(json.unwrap().ends_with(ended_with));
}

#[tokio::test]
async fn done_may_have_spaces_around_it_and_lack_its_blank_line() {
    for end in [
        "data: [DONE] \n\n",
        "data:\t[DONE]\n\n",
        "data: [DONE]\n",
        "data: [DONE]",
    ] {
        let body = format!("data: {{}}\n\n{end}");
        assert_eq!(errors(body.leak()).await, [None, None, None], "{end:?}");
    }
}

#[tokio::test]
async fn json_skips_events_without_data() {
    let body = "id: 1\nretry: 1000\ndata:\n\nid: 2\ndata: {\"text\":\"a\"}\n\n";
    let stream = stream::iter([Ok::<_, Infallible>(body)]);
    let mut values = Events::from_stream(stream).json::<Delta>();
    assert_eq!(values.next().await.unwrap().unwrap().text, "a");
    assert!(values.next().await.is_none());
    let mut values = Events::from_read(body.as_bytes()).json::<Delta>();
    assert_eq!(values.next().unwrap().unwrap().text, "a");
    assert!(values.next().is_none());
}
