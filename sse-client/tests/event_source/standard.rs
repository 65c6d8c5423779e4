//! The standard's rules for connecting and reconnecting, each with its section of HTML 9.2.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use sse_client::{Backoff, Closed, EventSource, retry};

use super::{
    log::{closed, follow, get, log, next, next_event, opened, quick},
    memory::{Answer, Memory, Part},
    scripted::{Script, Server},
};

// HTML 9.2.2: the constructor sets `Accept`.
#[tokio::test]
async fn accept_names_the_media_type() {
    let mut server = Server::start([]).await;
    closed(get(server.url("/"))).await;
    let request = server.request().await;
    assert_eq!(request.header("accept"), Some("text/event-stream"));
}

// HTML 9.2.2: the cache mode is `no-store`.
#[tokio::test]
async fn caches_are_bypassed() {
    let mut server = Server::start([]).await;
    closed(get(server.url("/"))).await;
    let request = server.request().await;
    assert_eq!(request.header("cache-control"), Some("no-cache"));
    assert_eq!(request.header("pragma"), Some("no-cache"));
}

// HTML 9.2.2, for `Accept` and `Cache-Control`.
#[tokio::test]
async fn a_header_that_the_user_sets_is_not_replaced() {
    let mut server = Server::start([]).await;
    let source = get(server.url("/"))
        .header("accept", "text/event-stream, */*")
        .header("cache-control", "no-store");
    closed(source).await;
    let request = server.request().await;
    assert_eq!(request.header("accept"), Some("text/event-stream, */*"));
    assert_eq!(request.header("cache-control"), Some("no-store"));
}

// HTML 9.2.2: a GET of the URL, whose fragment is not sent.
#[tokio::test]
async fn the_request_is_a_get_without_body_and_fragment() {
    let mut server = Server::start([]).await;
    closed(get(server.url("/a/b?c=d&e#f"))).await;
    let request = server.request().await;
    assert_eq!((&*request.method, &*request.path), ("GET", "/a/b?c=d&e"));
    assert_eq!(request.header("content-length"), None);
    assert_eq!(request.header("transfer-encoding"), None);
}

// HTML 9.2.3: reconnecting fetches the request of the constructor again.
#[tokio::test]
async fn redirects_are_followed_and_each_connection_begins_at_the_original_url() {
    let server = Server::start([
        Script::status("301 Moved Permanently", &["Location: /there"]),
        Script::events("data: a\n\n"),
    ])
    .await;
    assert!(matches!(
        closed(get(server.url("/here"))).await,
        Closed::Stopped
    ));
    let paths = server
        .requests()
        .into_iter()
        .map(|request| request.path)
        .collect::<Vec<_>>();
    assert_eq!(paths, ["/here", "/there", "/here"]);
}

// HTML 9.2.2: a status other than 200 fails the connection.
#[tokio::test]
async fn any_status_but_200_fails_for_good_under_the_standard_policy() {
    for status in [
        "201 Created",
        "202 Accepted",
        "205 Reset Content",
        "206 Partial Content",
        "300 Multiple Choices",
        "304 Not Modified",
        "400 Bad Request",
        "401 Unauthorized",
        "404 Not Found",
        "410 Gone",
        "418 I'm a Teapot",
        "429 Too Many Requests",
        "500 Internal Server Error",
        "503 Service Unavailable",
    ] {
        let server =
            Server::start([Script::status(status, &["Content-Type: text/event-stream"])]).await;
        let mut source = get(server.url("/")).retry_on(retry::standard);
        let number = status.split(' ').next().unwrap();
        assert_eq!(
            follow(&mut source).await,
            ["connecting".into(), format!("failed: {number}")]
        );
        assert_eq!(server.requests().len(), 1, "{status}");
    }
}

// HTML 9.2.2: another type than `text/event-stream` fails the connection.
#[tokio::test]
async fn another_content_type_fails_for_good() {
    let server = Server::start([Script::whole(
        "200 OK",
        &["Content-Type: text/html"],
        "data: a\n\n",
    )])
    .await;
    let log = follow(&mut get(server.url("/"))).await;
    assert_eq!(
        log,
        [
            "connecting",
            "failed: the server answered 200 OK with text/html, not an event stream: data: a"
        ]
    );
    assert_eq!(server.requests().len(), 1);
}

// HTML 9.2.2: a network error reestablishes the connection.
#[tokio::test]
async fn a_network_error_is_retried() {
    let server = Server::start([
        Script::default().cut(),
        Script::default().reset(),
        Script::default().send("HTTP/1.1 200 O").cut(),
        Script::default().send("SMTP ready\r\n\r\n").cut(),
    ])
    .await;
    let log = follow(&mut get(server.url("/"))).await;
    assert_eq!(
        log,
        [
            "connecting",
            "no connection; again in 20ms",
            "no connection; again in 40ms",
            "no connection; again in 80ms",
            "no connection; again in 160ms",
            "stopped"
        ]
    );
}

// HTML 9.2.2: "unless the user agent knows" that another attempt cannot succeed.
#[tokio::test]
async fn a_permanent_failure_is_not_retried() {
    let permanent = Memory::new([Answer::Permanent]);
    let log = follow(&mut permanent.source()).await;
    assert_eq!(log, ["connecting", "failed: no connection"]);
    for scheme in ["ftp://127.0.0.1/", "mailto:me@example.org"] {
        let log = follow(&mut get(scheme)).await;
        assert_eq!(log, ["connecting", "failed: no connection"]);
    }
}

// HTML 9.2.2: the end of the body reestablishes the connection.
#[tokio::test]
async fn the_end_of_the_body_is_retried_whether_clean_or_not() {
    let server = Server::start([
        Script::events("data: a\n\n"),
        Script::stream().chunk("data: b\n\n").cut(),
        Script::stream().chunk("data: c\n\n").gate().reset(),
        Script::whole(
            "200 OK",
            &["Content-Type: text/event-stream"],
            "data: d\n\n",
        ),
        // Neither length nor chunks: any end looks like a proper one.
        Script::default()
            .send("HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: e\n\n")
            .cut(),
        Script::default()
            .send(
                "HTTP/1.1 200 OK\r\n\
                 Content-Type: text/event-stream\r\n\
                 Content-Length: 99\r\n\r\n\
                 data: f\n\n",
            )
            .cut(),
    ])
    .await;
    let mut source = get(server.url("/"));
    let mut log = Vec::new();
    while log.last().is_none_or(|line| line != "[] message: c") {
        log.push(next(&mut source).await);
    }
    server.go();
    log.extend(follow(&mut source).await);
    log.retain(|line| line != "open");
    assert_eq!(
        log,
        [
            "connecting",
            "[] message: a",
            "ended; again in 20ms",
            "[] message: b",
            "lost; again in 20ms",
            "[] message: c",
            "lost; again in 20ms",
            "[] message: d",
            "ended; again in 20ms",
            "[] message: e",
            "ended; again in 20ms",
            "[] message: f",
            "lost; again in 20ms",
            "stopped"
        ]
    );
}

// HTML 9.2.3: announcing the connection.
#[tokio::test]
async fn open_is_reported_with_the_head_before_any_byte_of_the_body() {
    let mut server = Server::start([Script::stream().hold()]).await;
    let mut source = get(server.url("/"));
    let open = opened(&mut source).await;
    assert_eq!(open.url.as_str(), server.url("/"));
    assert_eq!(open.status, 200);
    assert_eq!(open.headers["content-type"], "text/event-stream");
    drop(source);
    server.gone().await;
}

// HTML 9.2.3: announcing the connection, unless it is closed.
#[tokio::test]
async fn open_is_not_reported_once_the_source_is_closed() {
    let server = Server::start([Script::events("data: a\n\n")]).await;
    let mut source = get(server.url("/"));
    assert_eq!(next(&mut source).await, "connecting");
    source.handle().close();
    assert_eq!(follow(&mut source).await, ["closed"]);
}

// HTML 9.2.3: once it has failed the connection, it does not reconnect.
#[tokio::test]
async fn nothing_follows_a_failure() {
    let server = Server::start([Script::status("404 Not Found", &[])]).await;
    let mut source = get(server.url("/"));
    assert_eq!(follow(&mut source).await, ["connecting", "failed: 404"]);
    assert!(source.next().await.is_none());
    assert!(matches!(source.next_event().await, Err(Closed::Already)));
    assert_eq!(server.requests().len(), 1);
}

// HTML 9.2.3: the state is set first, then the reconnection time passes.
#[tokio::test(start_paused = true)]
async fn connecting_is_reported_before_the_wait() {
    let memory = Memory::new([Answer::Refused]);
    let mut source = memory.source().backoff(quick());
    assert_eq!(next(&mut source).await, "connecting");
    assert_eq!(next(&mut source).await, "no connection; again in 20ms");
    assert_eq!(memory.now(), 0);
    assert_eq!(next(&mut source).await, "stopped");
    assert_eq!(memory.times(), [0, 20]);
}

// HTML 9.2.3: a further delay if the previous attempt failed.
#[tokio::test(start_paused = true)]
async fn waits_grow_with_failures() {
    let memory = Memory::new([Answer::Refused, Answer::Refused, Answer::Refused]);
    log(&mut memory.source().backoff(quick())).await;
    assert_eq!(memory.times(), [0, 20, 60, 140]);
}

// HTML 9.2.3: it reconnects only if the state is still connecting.
#[tokio::test(start_paused = true)]
async fn no_request_follows_when_the_source_is_closed_while_it_waits() {
    let memory = Memory::new([Answer::Refused]);
    let mut source = memory.source();
    let handle = source.handle().clone();
    tokio::spawn(async move {
        // pace: in the middle of the wait; time is paused.
        tokio::time::sleep(Duration::from_secs(1)).await;
        handle.close();
    });
    let log = log(&mut source).await;
    assert_eq!(log.last().unwrap(), "closed");
    assert_eq!(memory.now(), 1_000);
    // pace: longer than any wait; time is paused.
    tokio::time::sleep(Duration::from_secs(100)).await;
    assert_eq!(memory.times(), [0]);
}

// HTML 9.2.3: `Last-Event-ID` is the id, encoded as UTF-8.
#[tokio::test]
async fn last_event_id_is_sent_as_utf8_bytes() {
    let id = "Größe 7 \u{1F980}\u{a0}";
    let server = Server::start([Script::events(format!("id: {id}\ndata: a\n\n"))]).await;
    closed(get(server.url("/"))).await;
    assert_eq!(server.ids(), [None, Some(id.into())]);
}

// HTML 9.2.3: `Last-Event-ID` is sent if the id is not empty.
#[tokio::test]
async fn without_an_id_there_is_no_header() {
    let server = Server::start([
        Script::events("data: a\n\n"),
        Script::events("id: 1\ndata: a\n\n"),
        Script::events("id\ndata: a\n\n"),
    ])
    .await;
    closed(get(server.url("/"))).await;
    assert_eq!(server.ids(), [None, None, Some("1".into()), None]);
}

// HTML 9.2.3: reconnecting fetches the same request again.
#[tokio::test]
async fn the_same_request_is_sent_again_even_a_post() {
    let server = Server::start([
        Script::events("data: a\n\n"),
        Script::stream().cut(),
        Script::status("503 Service Unavailable", &[]),
    ])
    .await;
    let request = Request::builder()
        .method(Method::POST)
        .uri(server.url("/ask"))
        .header("authorization", "Bearer secret")
        .header("x-twice", "1")
        .header("x-twice", "2")
        .body("{\"a\":1}")
        .unwrap();
    closed(EventSource::request(request).backoff(quick())).await;
    let requests = server.requests();
    assert_eq!(requests.len(), 4);
    for request in &requests {
        assert_eq!((&*request.method, &*request.path), ("POST", "/ask"));
        assert_eq!(request.body, b"{\"a\":1}");
        assert_eq!(request.headers, requests[0].headers);
    }
    assert_eq!(requests[0].header("authorization"), Some("Bearer secret"));
}

// HTML 9.2.2: the reconnection time, and 9.2.6 for `retry`.
#[tokio::test(start_paused = true)]
async fn the_wait_is_a_few_seconds_until_the_server_sets_it() {
    let stream = |bytes| Answer::Stream(vec![Part::Bytes(bytes)]);
    let memory = Memory::new([
        stream("data: a\n\n"),
        stream("retry: 500\n\ndata: a\n\n"),
        stream("data: a\n\n"),
        stream("data: a\n\n"),
    ]);
    let backoff = Backoff::default().jitter(0.0);
    log(&mut memory.source().backoff(backoff)).await;
    assert_eq!(memory.times(), [0, 3_000, 3_500, 4_000, 4_500]);
}

// HTML 9.2.2: `close()`.
#[tokio::test]
async fn close_ends_the_connection_and_no_event_follows() {
    let mut server = Server::start([Script::stream().chunk("data: a\n\ndata: b\n\n").hold()]).await;
    let mut source = get(server.url("/"));
    assert_eq!(next_event(&mut source).await, "[] message: a");
    source.handle().close();
    assert_eq!(follow(&mut source).await, ["closed"]);
    server.gone().await;
}

// HTML 9.2.4: the last event id.
#[tokio::test]
async fn an_id_may_be_any_line_of_text_that_a_header_can_hold() {
    for id in ["\"{}\"", "a:b", "a\tb", "\u{feff}x", "\u{2028}", "%00", ","] {
        let server = Server::start([Script::events(format!("id: {id}\ndata: a\n\n"))]).await;
        closed(get(server.url("/"))).await;
        assert_eq!(server.ids(), [None, Some(id.into())]);
    }
}

// HTML 9.2.4: the last event id; Fetch: header values.
#[tokio::test]
async fn an_id_with_a_control_character_is_not_sent_and_that_is_reported() {
    for id in ["a\u{1}b", "\u{7f}", "\u{1b}[2J"] {
        let server = Server::start([
            Script::events(format!("id: {id}\ndata: a\n\n")),
            Script::events("data: b\n\n"),
            Script::events("id: 2\ndata: c\n\n"),
        ])
        .await;
        let mut source = get(server.url("/"));
        assert_eq!(opened(&mut source).await.unsent_id, None);
        next_event(&mut source).await;
        next(&mut source).await;
        let open = opened(&mut source).await;
        assert_eq!(open.unsent_id.as_deref(), Some(id));
        assert!(open.to_string().contains("no header can hold"), "{open}");
        assert_eq!(next_event(&mut source).await, format!("[{id}] message: b"));
        closed(source).await;
        assert_eq!(server.ids(), [None, None, None, Some("2".into())]);
    }
}

// HTML 9.2.3: `Last-Event-ID`; the 128 bytes of Fetch are for pages that ask other origins.
#[tokio::test]
async fn a_long_id_with_bytes_that_cors_calls_unsafe_is_sent_whole() {
    let id = "\"():<>?@[\\]{}".repeat(100);
    let server = Server::start([Script::events(format!("id: {id}\ndata: a\n\n"))]).await;
    closed(get(server.url("/"))).await;
    assert_eq!(server.ids(), [None, Some(id)]);
}

// HTML 9.2.2: beyond the standard, which knows GET alone.
#[tokio::test]
async fn failures_are_the_same_for_any_method_and_body() {
    let server = Server::start([Script::status("404 Not Found", &[])]).await;
    let request = Request::put(server.url("/")).body(Bytes::from_static(b"x"));
    let mut source = EventSource::request(request.unwrap()).backoff(quick());
    assert_eq!(follow(&mut source).await, ["connecting", "failed: 404"]);
    assert_eq!(server.requests()[0].method, "PUT");
}
