//! The responses that count as event streams, refusals, and limits.

use sse_client::{DecodeError, Error, ErrorKind, Limits, Update, retry};
use sse_conformance::in_time;

use super::{
    log::{closed, failure, follow, get, next},
    scripted::{Script, Server},
};

#[tokio::test]
async fn the_media_type_may_be_written_in_any_way() {
    for value in [
        "text/event-stream",
        "text/event-stream;charset=utf-8",
        "text/event-stream; charset=UTF-8; x=\"y\"",
        "text/event-stream;",
        "text/event-stream ; charset=latin1",
        "Text/Event-Stream",
        "TEXT/EVENT-STREAM;CHARSET=UTF-8",
        "application/json, text/event-stream; charset=utf-8",
        "text/html\r\nContent-Type: text/event-stream",
    ] {
        let head = format!("HTTP/1.1 200 OK\r\nCONTENT-type:{value}\r\nConnection: close\r\n\r\n");
        let server = Server::start([Script::default().send(head + "data: a\n\n").cut()]).await;
        let log = follow(&mut get(server.url("/"))).await;
        assert_eq!(log[2], "[] message: a", "{value}");
    }
}

#[tokio::test]
async fn another_type_is_named_and_final() {
    for value in [
        "text/html; charset=utf-8",
        "application/json",
        "text/event-streams",
        "text/event-stream, text/html",
        "x-text/event-stream",
        "text / event-stream",
    ] {
        let header = format!("Content-Type: {value}");
        let server = Server::start([Script::whole("200 OK", &[&header], "data: a\n\n")]).await;
        let error = failure(get(server.url("/"))).await;
        assert!(matches!(error, Error::Refused(_)), "{error:?}");
        assert!(error.to_string().contains(value), "{error}");
        assert_eq!(server.requests().len(), 1, "{value}");
    }
}

#[tokio::test]
async fn no_type_is_final_too() {
    for headers in [&[][..], &["Content-Type:"]] {
        let server = Server::start([Script::whole("200 OK", headers, "data: a\n\n")]).await;
        let error = failure(get(server.url("/"))).await;
        assert!(matches!(error, Error::Refused(_)), "{error:?}");
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_type_that_is_not_text_is_reported_anyway() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: \xff\xfe\r\nContent-Length: 0\r\n\r\n";
    let server = Server::start([Script::default().send(head)]).await;
    let error = failure(get(server.url("/"))).await;
    assert!(error.to_string().contains("\u{fffd}\u{fffd}"), "{error}");
}

#[tokio::test]
async fn a_refusal_has_its_status_its_type_and_its_text() {
    let text = "{\"error\":\"no such key\"}";
    let json = "Content-Type: application/json";
    let server = Server::start([Script::whole("401 Unauthorized", &[json], text)]).await;
    let error = failure(get(server.url("/"))).await;
    assert_eq!(
        error.to_string(),
        "the server answered 401 Unauthorized: {\"error\":\"no such key\"}"
    );
    assert_eq!(error.kind(), ErrorKind::Refused);
    let Error::Refused(refused) = error else {
        panic!("{error:?}");
    };
    assert_eq!(refused.status, 401);
    assert_eq!(refused.content_type().as_deref(), Some("application/json"));
    assert_eq!(refused.text, text);
    assert_eq!(refused.retry_after, None);
}

#[tokio::test]
async fn a_refusal_has_its_headers() {
    let headers = [
        "WWW-Authenticate: Bearer error=\"expired\"",
        "X-Request-Id: req_7",
    ];
    let server = Server::start([Script::whole("401 Unauthorized", &headers, "no")]).await;
    let error = failure(get(server.url("/"))).await;
    assert_eq!(
        error.to_string(),
        "the server answered 401 Unauthorized \
         (www-authenticate: Bearer error=\"expired\", x-request-id: req_7): no"
    );
    assert!(matches!(error, Error::Refused(refused) if refused.headers["x-request-id"] == "req_7"));
}

#[tokio::test]
async fn a_refusal_of_another_type_has_its_text_too() {
    let html = "Content-Type: text/html";
    let server = Server::start([Script::whole("200 OK", &[html], "<p>\n  Sign in")]).await;
    let error = failure(get(server.url("/"))).await;
    assert_eq!(
        error.to_string(),
        "the server answered 200 OK with text/html, not an event stream: <p> Sign in"
    );
    assert!(matches!(error, Error::Refused(refused) if refused.text == "<p>\n  Sign in"));
}

#[tokio::test]
async fn a_refusal_that_is_retried_has_its_text_too() {
    let server = Server::start([Script::whole("503 Service Unavailable", &[], "restarting")]).await;
    let mut source = get(server.url("/"));
    assert_eq!(next(&mut source).await, "connecting");
    let update = in_time("the refusal", source.next()).await;
    let Some(Update::Connecting(connecting)) = update else {
        panic!("{update:?}");
    };
    assert_eq!(
        connecting.to_string(),
        "the server answered 503 Service Unavailable: restarting; connecting again in 20.0ms"
    );
}

#[tokio::test]
async fn only_the_beginning_of_a_refusal_is_kept() {
    let text = "x".repeat(100_000);
    let server = Server::start([Script::whole("404 Not Found", &[], &text)]).await;
    let error = failure(get(server.url("/"))).await;
    assert_eq!(
        error.to_string().len(),
        "the server answered 404 Not Found: ".len() + 500
    );
    assert!(matches!(error, Error::Refused(refused) if refused.text == text[..16 << 10]));
}

#[tokio::test]
async fn a_refusal_that_goes_on_for_ever_is_not_waited_for() {
    let head = "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\n\r\nno";
    let mut server = Server::start([Script::default().send(head).hold()]).await;
    let error = failure(get(server.url("/"))).await;
    assert_eq!(error.to_string(), "the server answered 403 Forbidden: no");
    server.gone().await;
}

#[tokio::test]
async fn a_refusal_whose_body_breaks_off_is_reported_as_far_as_it_came() {
    let head = "HTTP/1.1 403 Forbidden\r\nContent-Length: 99\r\n\r\nno";
    let server = Server::start([Script::default().send(head).cut()]).await;
    let error = failure(get(server.url("/"))).await;
    assert!(matches!(error, Error::Refused(refused) if refused.text == "no"));
}

#[tokio::test]
async fn the_statuses_of_a_restart_are_retried_and_others_are_not() {
    for status in [408, 425, 429, 500, 502, 503, 504] {
        assert_eq!(
            requests_after(status, retry::transient).await,
            2,
            "{status}"
        );
        assert_eq!(requests_after(status, retry::standard).await, 1, "{status}");
    }
    for status in [201, 206, 304, 400, 401, 403, 404, 410, 422, 501, 505, 599] {
        assert_eq!(
            requests_after(status, retry::transient).await,
            1,
            "{status}"
        );
        assert_eq!(requests_after(status, |_| true).await, 2, "{status}");
    }
}

/// Returns the number of requests to a server that answers with a status; more than one is a retry.
async fn requests_after(
    status: u16,
    policy: impl Fn(http::StatusCode) -> bool + Send + Sync + 'static,
) -> usize {
    let server = Server::start([Script::status(&format!("{status} So"), &[])]).await;
    closed(get(server.url("/")).retry_on(policy)).await;
    server.requests().len()
}

#[tokio::test]
async fn an_interim_response_is_not_the_response() {
    let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    let stream = "HTTP/1.1 200 OK\r\n\
                  Content-Type: text/event-stream\r\n\
                  Content-Length: 9\r\n\r\n\
                  data: a\n\n";
    let server = Server::start([Script::default().send(hints).send(stream)]).await;
    let log = follow(&mut get(server.url("/"))).await;
    assert_eq!(log[..3], ["connecting", "open", "[] message: a"]);
}

#[tokio::test]
async fn a_chunk_that_is_malformed_is_a_loss() {
    for chunk in ["x\r\n", "ffffffffffffffffff\r\n", "3\r\nabcdef\r\n"] {
        let server = Server::start([Script::stream().chunk("data: a\n\n").send(chunk).cut()]).await;
        let log = follow(&mut get(server.url("/"))).await;
        assert_eq!(
            log[2..4],
            ["[] message: a", "lost; again in 20ms"],
            "{chunk:?}"
        );
    }
}

#[tokio::test]
async fn a_line_over_its_limit_is_final_and_names_it() {
    let server = Server::start([
        Script::events("data: 12345678\n\ndata: 123456789\n\n"),
        Script::events("data: b\n\n"),
    ])
    .await;
    let limits = Limits::default().line_bytes(14);
    let error = failure(get(server.url("/")).limits(limits)).await;
    assert!(
        matches!(error, Error::Decode(DecodeError::LineTooLong { limit: 14 })),
        "{error:?}"
    );
    assert!(error.to_string().contains("14 bytes"), "{error}");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn an_event_over_its_limit_is_final_and_names_it() {
    let server = Server::start([
        Script::stream()
            .chunk("data: 1\n\n")
            .chunk("data: 12345678\n".repeat(9))
            .hold(),
        Script::events("data: b\n\n"),
    ])
    .await;
    let limits = Limits::default().event_bytes(50);
    let mut source = get(server.url("/")).limits(limits);
    let log = follow(&mut source).await;
    assert_eq!(log[..3], ["connecting", "open", "[] message: 1"]);
    assert!(log[3].contains("50 bytes"), "{log:?}");
    assert_eq!(log.len(), 4);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_page_between_two_connections_can_be_outlived() {
    let scripts = || {
        [
            Script::events("data: a\n\n"),
            Script::whole("200 OK", &["Content-Type: text/html"], "Back soon"),
            Script::events("data: b\n\n"),
        ]
    };
    let server = Server::start(scripts()).await;
    let log = follow(&mut get(server.url("/")).retry_other_types(true)).await;
    assert!(log.contains(&"[] message: b".into()), "{log:?}");
    let server = Server::start(scripts()).await;
    failure(get(server.url("/"))).await;
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn other_responses_can_be_accepted() {
    let server = Server::start([
        Script::whole("200 OK", &[], "data: a\n\n"),
        Script::whole("206 Partial Content", &[], "data: b\n\n"),
        Script::whole("200 OK", &["Content-Type: text/html"], "data: c\n\n"),
    ])
    .await;
    let source = get(server.url("/"))
        .accept(|status, headers| status.is_success() && !headers.contains_key("content-type"));
    let mut source = source;
    let log = follow(&mut source).await;
    assert!(log.contains(&"[] message: a".into()), "{log:?}");
    assert!(log.contains(&"[] message: b".into()), "{log:?}");
    assert_eq!(server.requests().len(), 3);
    assert!(log.last().unwrap().starts_with("failed"), "{log:?}");
}
