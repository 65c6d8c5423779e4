//! The requests of an event source, and their errors.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering},
};

use bytes::Bytes;
use http::Request;
use sse_client::{Attempt, Backoff, Error, EventSource, Report, TransportError};

use super::{
    log::{closed, failure, follow, get, opened, quick},
    scripted::{Script, Server},
};

#[tokio::test]
async fn a_token_is_renewed_for_each_attempt() {
    let server = Server::start([
        Script::events("id: 1\ndata: a\n\n"),
        Script::stream().cut(),
        Script::status("503 Service Unavailable", &[]),
    ])
    .await;
    let (url, tokens) = (server.url("/"), AtomicU32::new(0));
    let attempts = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&attempts);
    let source = EventSource::per_attempt(move |attempt: Attempt| {
        let token = tokens.fetch_add(1, Ordering::Relaxed);
        seen.lock()
            .unwrap()
            .push((attempt.failures, attempt.last_event_id));
        let request = Request::post(&url)
            .header("authorization", format!("Bearer {token}"))
            .body(Bytes::from(format!("body {token}")));
        async move { request }
    });
    closed(source.backoff(quick()).header("x-all", "yes")).await;
    let requests = server.requests();
    assert_eq!(requests.len(), 4);
    for (number, request) in requests.iter().enumerate() {
        let token = format!("Bearer {number}");
        assert_eq!(request.header("authorization"), Some(&*token));
        assert_eq!(request.body, format!("body {number}").as_bytes());
        assert_eq!(request.header("x-all"), Some("yes"));
        assert_eq!(request.header("accept"), Some("text/event-stream"));
        assert_eq!(request.last_event_id(), (number > 0).then_some("1"));
    }
    let one = || "1".to_owned();
    assert_eq!(
        *attempts.lock().unwrap(),
        [(0, String::new()), (0, one()), (1, one()), (2, one())]
    );
}

#[tokio::test]
async fn a_request_that_could_not_be_built_is_a_failed_attempt() {
    let server = Server::start([Script::events("data: a\n\n")]).await;
    let (url, calls) = (server.url("/"), AtomicU32::new(0));
    let source = EventSource::per_attempt(move |_| {
        let call = calls.fetch_add(1, Ordering::Relaxed);
        let request = Request::get(&url).body(Bytes::new());
        async move {
            if call < 2 {
                return Err("the token server is down".into());
            }
            request.map_err(sse_client::BoxError::from)
        }
    });
    let mut source = source.backoff(quick());
    assert_eq!(
        follow(&mut source).await,
        [
            "connecting",
            "not built; again in 20ms",
            "not built; again in 40ms",
            "open",
            "[] message: a",
            "ended; again in 20ms",
            "stopped"
        ]
    );
}

#[tokio::test]
async fn a_request_that_can_never_be_built_is_given_up_as_others_are() {
    let source = EventSource::per_attempt(|_| async { Err("no token") });
    let closed = closed(source.backoff(quick().max_retries(2))).await;
    assert_eq!(
        Report::new(&closed).to_string(),
        "gave up after 3 failed attempts: the request could not be built: no token"
    );
}

#[tokio::test]
async fn a_request_builder_of_reqwest_is_sent_with_its_client() {
    let server = Server::start([Script::events("id: 1\ndata: a\n\n")]).await;
    let client = reqwest::Client::builder()
        .user_agent("mine")
        .build()
        .unwrap();
    let builder = client
        .post(server.url("/ask?a=b"))
        .bearer_auth("secret")
        .header("x-own", "1")
        .body("{\"stream\":true}");
    closed(EventSource::reqwest(builder).backoff(quick())).await;
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    for request in &requests {
        assert_eq!((&*request.method, &*request.path), ("POST", "/ask?a=b"));
        assert_eq!(request.body, b"{\"stream\":true}");
        assert_eq!(request.header("authorization"), Some("Bearer secret"));
        assert_eq!(request.header("x-own"), Some("1"));
        assert_eq!(request.header("user-agent"), Some("mine"));
        assert_eq!(request.header("accept"), Some("text/event-stream"));
    }
    assert_eq!(server.ids(), [None, Some("1".into())]);
}

#[tokio::test]
async fn a_client_that_follows_redirects_itself_reports_the_last_url() {
    let server = Server::start([
        Script::status("302 Found", &["Location: /b"]),
        Script::events("data: a\n\n"),
    ])
    .await;
    let builder = reqwest::Client::new().get(server.url("/a"));
    let mut source = EventSource::reqwest(builder).backoff(quick());
    let url = opened(&mut source).await.url;
    assert_eq!(url.as_str(), server.url("/b"));
}

#[tokio::test]
async fn a_body_that_is_a_stream_is_reported_with_the_remedy() {
    let (_writer, reader) = tokio::io::duplex(1);
    let body = http_body_util::StreamBody::new(tokio_util::io::ReaderStream::new(reader));
    let frames = futures_util::StreamExt::map(body, |chunk| chunk.map(http_body::Frame::data));
    let body = reqwest::Body::wrap(http_body_util::StreamBody::new(frames));
    let builder = reqwest::Client::new()
        .post("http://127.0.0.1:9/")
        .body(body);
    let error = failure(EventSource::reqwest(builder)).await;
    assert!(matches!(error, Error::Request(_)), "{error:?}");
    assert!(
        Report::new(&error).to_string().contains("per_attempt"),
        "{error}"
    );
}

#[tokio::test]
async fn a_malformed_url_is_reported_and_never_panics() {
    for url in [
        "",
        "/events",
        "127.0.0.1:3000/events",
        "http://",
        "http:///",
        "http://[::1",
        "http://a b/",
        "http://127.0.0.1:99999/",
        "http://exa\u{0}mple/",
        "data:text/event-stream,data:",
        "not a url",
    ] {
        let error = failure(get(url)).await;
        assert!(matches!(error, Error::Request(_)), "{url:?}: {error:?}");
        assert!(error.to_string().contains("malformed"), "{url:?}: {error}");
        assert!(
            Report::new(&error).to_string().contains("URL"),
            "{url:?}: {error}"
        );
    }
}

#[tokio::test]
async fn a_malformed_url_of_reqwest_and_of_a_request_is_reported() {
    let builder = reqwest::Client::new().get("not a url");
    let error = failure(EventSource::reqwest(builder)).await;
    assert!(matches!(error, Error::Request(_)), "{error:?}");
    let request = Request::get("/relative").body("").unwrap();
    let error = failure(EventSource::request(request)).await;
    assert!(matches!(error, Error::Request(_)), "{error:?}");
    assert!(
        Report::new(&error).to_string().contains("/relative"),
        "{error}"
    );
}

#[tokio::test]
async fn a_malformed_header_is_reported_and_never_panics() {
    let source = || get("http://127.0.0.1:9/");
    for source in [
        source().header("bad name", "a"),
        source().header("", "a"),
        source().header("x-größe", "a"),
        source().header("x-a", "line\nbreak"),
        source().header("x-a", "nul\0"),
        source().header("x-a", "a\rb").header("x-b", "good"),
    ] {
        let error = failure(source).await;
        assert!(matches!(error, Error::Request(_)), "{error:?}");
        assert!(
            Report::new(&error).to_string().contains("a header"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn any_character_may_stand_in_path_and_query() {
    let all: String = (' '..='~').filter(|c| !"#?\\".contains(*c)).collect();
    let server = Server::start([]).await;
    closed(get(server.url(&format!("/{all}ä?{all}ä")))).await;
    let path = &server.requests()[0].path;
    assert!(path.contains("%C3%A4?"), "{path}");
    assert!(path.ends_with("%C3%A4"), "{path}");
}

#[tokio::test]
async fn credentials_of_the_url_are_sent_as_a_header_and_not_printed() {
    let server = Server::start([]).await;
    let url = server.url("/").replace("http://", "http://me:s%20cret@");
    let source = get(&url);
    assert!(!format!("{source:?}").contains("cret"), "{source:?}");
    closed(source).await;
    let requests = server.requests();
    let basic = requests[0].header("authorization");
    assert_eq!(basic, Some("Basic bWU6cyBjcmV0"));
}

#[tokio::test]
async fn the_users_header_takes_precedence_over_credentials_of_the_url() {
    let server = Server::start([]).await;
    let url = server.url("/").replace("http://", "http://me:secret@");
    closed(get(url).header("authorization", "Bearer own")).await;
    let requests = server.requests();
    assert_eq!(requests[0].header("authorization"), Some("Bearer own"));
}

#[tokio::test]
async fn a_connection_that_ended_properly_is_used_again() {
    let server =
        Server::start([Script::events("data: a\n\n"), Script::events("data: a\n\n")]).await;
    closed(get(server.url("/"))).await;
    let connections: Vec<_> = server
        .requests()
        .iter()
        .map(|request| request.connection)
        .collect();
    assert_eq!(connections, [0, 0, 0]);
}

#[tokio::test]
async fn no_error_shows_the_query_or_the_password_of_a_url() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let server = Server::start([Script::status(
        "302 Found",
        &["Location: http://[::?secret"],
    )])
    .await;
    let own = reqwest::Client::new();
    let malformed = "http://me:secret@127.0.0.1:99999/?secret";
    for source in [
        get(format!("http://me:secret@{nobody}/?key=secret")),
        get(malformed),
        get("/events?secret"),
        get(server.url("/?secret")),
        EventSource::reqwest(own.get(format!("http://{nobody}/?secret"))),
        EventSource::reqwest(own.get(malformed)),
        EventSource::request(Request::get("ftp://a.example/?secret").body("").unwrap()),
    ] {
        assert!(!format!("{source:?}").contains("secret"), "{source:?}");
        let closed = closed(source.backoff(Backoff::never())).await;
        let printed = format!("{closed} {closed:?}");
        assert!(!printed.contains("secret"), "{printed}");
    }
    let error = own.get(format!("http://{nobody}/?secret")).send().await;
    let error = TransportError::new(error.unwrap_err());
    let printed = format!("{error} {error:?} {}", Report::new(&error));
    assert!(!printed.contains("secret"), "{printed}");
}

#[tokio::test]
async fn an_open_connection_shows_no_secret_either() {
    let server = Server::start([Script::events("data: a\n\n")]).await;
    let url = server
        .url("/events?key=secret")
        .replace("http://", "http://me:secret@");
    let open = opened(&mut get(url)).await;
    assert_eq!(
        open.url.query(),
        Some("key=secret"),
        "it is there for the program"
    );
    assert_eq!(
        open.to_string(),
        format!("connected to {}", server.url("/events"))
    );
    assert!(!format!("{open:?}").contains("secret"), "{open:?}");
}
