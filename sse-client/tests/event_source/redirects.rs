//! Redirects: followed as browsers do, and without secrets for others.

use http::Request;
use sse_client::{Error, EventSource, RedirectError};

use super::{
    log::{closed, failure, follow, get, opened, quick},
    scripted::{self, Script, Server},
};

const STATUSES: [&str; 5] = [
    "301 Moved Permanently",
    "302 Found",
    "303 See Other",
    "307 Temporary Redirect",
    "308 Permanent Redirect",
];

fn to(status: &str, location: &str) -> Script {
    Script::status(status, &[&format!("Location: {location}")])
}

fn post(url: String) -> EventSource {
    let request = Request::post(url)
        .header("content-type", "application/json")
        .header("authorization", "Bearer secret")
        .body("{}")
        .unwrap();
    EventSource::request(request).backoff(quick())
}

fn lines(server: &Server) -> Vec<String> {
    let requests = server.requests().into_iter();
    requests
        .map(|scripted::Request { method, path, .. }| format!("{method} {path}"))
        .collect()
}

#[tokio::test]
async fn a_get_follows_every_redirect_and_begins_again_at_the_original() {
    for status in STATUSES {
        let server = Server::start([to(status, "/b"), Script::events("data: a\n\n")]).await;
        let log = follow(&mut get(server.url("/a"))).await;
        assert_eq!(
            log,
            [
                "connecting",
                "open",
                "[] message: a",
                "ended; again in 20ms",
                "stopped"
            ],
            "{status}"
        );
        assert_eq!(lines(&server), ["GET /a", "GET /b", "GET /a"], "{status}");
    }
}

#[tokio::test]
async fn a_post_is_posted_again_only_by_307_and_308() {
    for status in STATUSES {
        let server = Server::start([to(status, "/b"), Script::events("data: a\n\n")]).await;
        closed(post(server.url("/a"))).await;
        let is_post = status.starts_with("307") || status.starts_with("308");
        let second = if is_post { "POST /b" } else { "GET /b" };
        assert_eq!(lines(&server), ["POST /a", second, "POST /a"], "{status}");
        let second = &server.requests()[1];
        assert_eq!(second.body == b"{}", is_post, "{status}");
        assert_eq!(second.header("content-type").is_some(), is_post, "{status}");
        assert_eq!(second.header("authorization"), Some("Bearer secret"));
        assert_eq!(server.requests()[2].body, b"{}", "{status}");
    }
}

#[tokio::test]
async fn open_has_the_last_url() {
    let server = Server::start([
        to("302 Found", "b?c#d"),
        to("307 Temporary Redirect", "/d/"),
        Script::events(""),
    ])
    .await;
    let mut source = get(server.url("/a/x"));
    let open = opened(&mut source).await;
    assert_eq!(open.url.as_str(), server.url("/d/"));
    assert_eq!(lines(&server), ["GET /a/x", "GET /a/b?c", "GET /d/"]);
}

#[tokio::test]
async fn a_redirect_without_a_location_fails_and_says_so() {
    for status in STATUSES {
        let server = Server::start([Script::status(status, &[])]).await;
        let error = failure(get(server.url("/"))).await;
        assert!(
            matches!(error, Error::Redirect(RedirectError::NoLocation { .. })),
            "{error:?}"
        );
        assert!(error.to_string().contains("without a Location"), "{error}");
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_location_that_leads_nowhere_fails_and_is_named() {
    for location in [
        "file:///etc/passwd",
        "data:text/event-stream,data:",
        "http://[",
        "//",
    ] {
        let server = Server::start([to("302 Found", location)]).await;
        let error = failure(get(server.url("/"))).await;
        assert!(
            matches!(error, Error::Redirect(RedirectError::BadLocation { .. })),
            "{error:?}"
        );
        assert!(error.to_string().contains(location), "{error}");
    }
}

#[tokio::test]
async fn a_loop_ends_at_the_limit() {
    let server = Server::start(std::iter::repeat(to("302 Found", "/"))).await;
    let error = failure(get(server.url("/")).max_redirects(3)).await;
    assert!(
        matches!(error, Error::Redirect(RedirectError::TooMany { limit: 3 })),
        "{error:?}"
    );
    assert_eq!(server.requests().len(), 4);
    let server = Server::start(std::iter::repeat(to("302 Found", "/"))).await;
    let error = failure(get(server.url("/"))).await;
    assert!(error.to_string().contains("20 redirects"), "{error}");
    assert_eq!(server.requests().len(), 21);
}

#[tokio::test]
async fn as_many_as_the_limit_are_followed() {
    let redirect = to("302 Found", "/");
    let server = Server::start([redirect.clone(), redirect, Script::events("data: a\n\n")]).await;
    let log = follow(&mut get(server.url("/")).max_redirects(2)).await;
    assert_eq!(log[1], "open");
    let server = Server::start([to("302 Found", "/")]).await;
    let error = failure(get(server.url("/")).max_redirects(0)).await;
    assert!(matches!(
        error,
        Error::Redirect(RedirectError::TooMany { limit: 0 })
    ));
}

#[tokio::test]
async fn another_origin_sees_no_credentials_and_the_first_sees_them_again() {
    let other = Server::start([Script::events("id: 8\ndata: a\n\n"), Script::events("")]).await;
    let away = to("307 Temporary Redirect", &other.url("/b"));
    let server = Server::start([away.clone(), away]).await;
    let mut source = get(server.url("/a"))
        .resume_from("7")
        .header("authorization", "Bearer secret")
        .header("cookie", "session=secret")
        .header("proxy-authorization", "Basic secret")
        .header("x-api-key", "secret")
        .header("x-whatever", "secret")
        .header("accept-language", "de");
    let log = follow(&mut source).await;
    assert!(log.contains(&"[8] message: a".into()), "{log:?}");
    for request in server.requests() {
        assert_eq!(request.header("authorization"), Some("Bearer secret"));
        assert_eq!(request.header("cookie"), Some("session=secret"));
        assert_eq!(request.header("x-api-key"), Some("secret"));
    }
    assert_eq!(
        server.ids(),
        [Some("7".into()), Some("8".into()), Some("8".into())]
    );
    let requests = other.requests();
    assert_eq!(requests.len(), 2);
    for request in &requests {
        let leaked =
            |(_, value): &&(String, Vec<u8>)| String::from_utf8_lossy(value).contains("secret");
        assert_eq!(request.headers.iter().find(leaked), None);
        assert_eq!(request.header("accept"), Some("text/event-stream"));
        assert_eq!(request.header("cache-control"), Some("no-cache"));
        assert_eq!(request.header("accept-language"), Some("de"));
    }
    assert_eq!(other.ids(), [Some("7".into()), Some("8".into())]);
}

#[tokio::test]
async fn credentials_do_not_come_back_over_another_origin() {
    let server_address = Server::start([]).await;
    let other = Server::start([to("302 Found", &server_address.url("/back"))]).await;
    let server = Server::start([to("302 Found", &other.url("/"))]).await;
    closed(get(server.url("/")).header("x-api-key", "secret")).await;
    assert_eq!(server.requests()[0].header("x-api-key"), Some("secret"));
    assert_eq!(server_address.requests()[0].path, "/back");
    assert_eq!(server_address.requests()[0].header("x-api-key"), None);
}

#[tokio::test]
async fn a_server_error_behind_a_redirect_is_retried_from_the_original() {
    let server = Server::start([
        to("302 Found", "/b"),
        Script::status("502 Bad Gateway", &[]),
        to("302 Found", "/c"),
        Script::events("data: a\n\n"),
    ])
    .await;
    let log = follow(&mut get(server.url("/a"))).await;
    assert_eq!(log[1..4], ["502; again in 20ms", "open", "[] message: a"]);
    assert_eq!(
        lines(&server),
        ["GET /a", "GET /b", "GET /a", "GET /c", "GET /a"]
    );
}

#[tokio::test]
async fn a_204_behind_a_redirect_stops() {
    let server = Server::start([to("302 Found", "/b")]).await;
    let log = follow(&mut get(server.url("/a"))).await;
    assert_eq!(log, ["connecting", "stopped"]);
}

#[tokio::test]
async fn another_origin_sees_no_credentials_of_the_url_either() {
    let other = Server::start([]).await;
    let server = Server::start([to("302 Found", "/b"), to("302 Found", &other.url("/"))]).await;
    let url = server.url("/").replace("http://", "http://me:secret@");
    closed(get(url)).await;
    for request in server.requests() {
        assert!(request.header("authorization").is_some(), "{request:?}");
    }
    assert_eq!(other.requests()[0].header("authorization"), None);
}

#[tokio::test]
async fn a_loop_that_a_client_of_your_own_follows_is_final() {
    let again = Script::status("302 Found", &["Location: /"]);
    let server = Server::start(std::iter::repeat_n(again, 100)).await;
    let source = EventSource::reqwest(reqwest::Client::new().get(server.url("/")));
    let error = failure(source.backoff(quick())).await;
    assert!(matches!(error, Error::Connect(_)), "{error:?}");
    assert!(format!("{error:?}").contains("redirect"), "{error:?}");
    assert!(server.requests().len() < 20);
}
