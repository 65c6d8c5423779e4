//! `read` of a reqwest response.

use sse_client::{Event, ReadError, ResponseBody, read};
use sse_conformance::in_time;

use super::scripted::{Script, Server};

type Events = sse_client::Events<ResponseBody>;

/// Starts a server with a script, and returns the events of its answer.
async fn events(script: Script) -> (Server, Events) {
    let server = Server::start([script]).await;
    let response = in_time("the head", reqwest::get(server.url("/"))).await;
    (server, read(response.unwrap()))
}

async fn next(events: &mut Events) -> Option<Result<Event, ReadError>> {
    in_time("the next event", events.next()).await
}

/// Returns the first result, which is an error.
async fn refusal(script: Script) -> ReadError {
    let (_server, mut events) = events(script).await;
    let error = next(&mut events).await.unwrap().unwrap_err();
    assert!(next(&mut events).await.is_none(), "nothing follows");
    error
}

#[tokio::test]
async fn an_event_stream_is_read_to_its_end() {
    let script = Script::chunks([&b"id: 1\nda"[..], b"ta: a\n\n", b"data: b\n\ndata: c\n"]);
    let (_server, mut events) = events(script).await;
    let mut all = Vec::new();
    while let Some(event) = next(&mut events).await {
        let event = event.unwrap();
        all.push((event.id, event.data));
    }
    assert_eq!(
        all,
        [("1".into(), "a".into()), ("1".into(), "b".to_owned())]
    );
}

#[tokio::test]
async fn a_refusal_is_reported_with_its_status_and_text() {
    let text = "{\"error\":\"no such key\"}";
    let json = "Content-Type: application/json";
    let error = refusal(Script::whole("401 Unauthorized", &[json], text)).await;
    assert_eq!(
        error.to_string(),
        "the server answered 401 Unauthorized: {\"error\":\"no such key\"}"
    );
    let ReadError::Refused(refused) = error else {
        panic!("{error:?}");
    };
    assert_eq!(refused.status, 401);
    assert_eq!(refused.content_type().as_deref(), Some("application/json"));
    assert_eq!(refused.text, text);
}

#[tokio::test]
async fn a_refusal_that_is_an_event_stream_is_one_too() {
    let stream = "Content-Type: text/event-stream";
    let script = Script::whole("500 Internal Server Error", &[stream], "data: a\n\n");
    let error = refusal(script).await;
    assert!(matches!(error, ReadError::Refused(refused) if refused.status == 500));
}

#[tokio::test]
async fn another_type_is_a_refusal_and_named() {
    for (headers, named) in [
        (&["Content-Type: text/html; charset=utf-8"][..], "text/html"),
        (&[], "no content type"),
    ] {
        let script = Script::whole("200 OK", headers, "<p>hello");
        let error = refusal(script).await;
        assert!(matches!(error, ReadError::Refused(_)), "{error:?}");
        assert!(error.to_string().contains(named), "{error}");
        assert!(error.to_string().contains("<p>hello"), "{error}");
    }
}

#[tokio::test]
async fn a_refusal_keeps_only_the_beginning_of_its_text() {
    let script = Script::status("502 Bad Gateway", &[]);
    let error = refusal(script).await;
    assert_eq!(error.to_string(), "the server answered 502 Bad Gateway");
    let script = Script::whole("502 Bad Gateway", &[], &"x".repeat(100_000));
    let error = refusal(script).await;
    let ReadError::Refused(refused) = error else {
        panic!("{error:?}");
    };
    assert_eq!(refused.text, "x".repeat(16 << 10));
}

#[tokio::test]
async fn a_refusal_that_goes_on_for_ever_is_not_waited_for() {
    let script = Script::default()
        .send("HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\n\r\nno")
        .hold();
    let error = refusal(script).await;
    assert!(error.to_string().ends_with(": no"), "{error}");
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_an_error_after_its_events() {
    let script = Script::stream().chunk("data: a\n\ndata: b\n").cut();
    let (_server, mut events) = events(script).await;
    assert_eq!(next(&mut events).await.unwrap().unwrap().data, "a");
    let error = next(&mut events).await.unwrap().unwrap_err();
    assert!(matches!(error, ReadError::Body(_)), "{error:?}");
    assert!(next(&mut events).await.is_none());
}

#[tokio::test]
async fn dropping_the_events_closes_the_connection() {
    let (mut server, mut events) = events(Script::stream().chunk("data: a\n\n").hold()).await;
    assert_eq!(next(&mut events).await.unwrap().unwrap().data, "a");
    drop(events);
    server.gone().await;
}

#[tokio::test]
async fn after_done_the_connection_is_used_again() {
    let answer = Script::stream().chunk("data: a\n\ndata: [DONE]\n\n");
    // The reader has gone before the end of the body comes.
    let scripts = std::iter::once(answer.clone().gate().end());
    let server = Server::start(scripts.chain(std::iter::repeat_n(answer.end(), 1_000))).await;
    let client = reqwest::Client::new();
    let ask = async || {
        let response = client.get(server.url("/")).send().await.unwrap();
        let mut events = read(response).until_done();
        assert_eq!(next(&mut events).await.unwrap().unwrap().data, "a");
        assert!(next(&mut events).await.is_none());
    };
    in_time(
        "an answer that does not wait for the end of the body",
        ask(),
    )
    .await;
    server.go();
    let again = async {
        while server
            .requests()
            .last()
            .is_none_or(|request| request.connection > 0)
        {
            ask().await;
        }
    };
    ask().await;
    in_time("the first connection, again", again).await;
}

#[tokio::test]
async fn a_server_that_goes_on_after_done_loses_its_connection() {
    for script in [
        Script::stream().chunk("data: [DONE]\n\n").hold(),
        Script::stream()
            .chunk("data: [DONE]\n\n")
            .flood("5\r\n: ..\n\r\n", usize::MAX),
    ] {
        let (mut server, events) = events(script).await;
        assert!(next(&mut events.until_done()).await.is_none());
        server.gone().await;
    }
}
