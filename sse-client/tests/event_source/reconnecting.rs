//! Mistakes that other clients make when they reconnect, as measured. The rules are HTML, 9.2.3 and
//! 9.2.6.

use super::{
    log::{closed, follow, get, quick},
    scripted::{Script, Server},
};

fn times(script: &Script, times: usize) -> Vec<Script> {
    vec![script.clone(); times]
}

#[tokio::test]
async fn a_server_that_closes_after_each_event_is_reconnected_without_growing_waits() {
    let server = Server::start(times(&Script::events("data: a\n\n"), 4)).await;
    let log = follow(&mut get(server.url("/"))).await;
    let cycle = ["open", "[] message: a", "ended; again in 20ms"];
    let expected = [
        &["connecting"][..],
        &cycle,
        &cycle,
        &cycle,
        &cycle,
        &["stopped"],
    ]
    .concat();
    assert_eq!(log, expected);
}

#[tokio::test]
async fn waits_grow_if_the_server_closes_without_an_event() {
    let server = Server::start(times(&Script::events(": hello\n"), 4)).await;
    let mut log = follow(&mut get(server.url("/"))).await;
    log.retain(|line| line != "open");
    assert_eq!(
        log,
        [
            "connecting",
            "ended; again in 20ms",
            "ended; again in 40ms",
            "ended; again in 80ms",
            "ended; again in 160ms",
            "stopped"
        ]
    );
}

#[tokio::test]
async fn a_204_stops_the_first_connection() {
    let server = Server::start([]).await;
    let log = follow(&mut get(server.url("/"))).await;
    assert_eq!(log, ["connecting", "stopped"]);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_204_stops_a_reconnect() {
    let server = Server::start([Script::events("data: a\n\n"), Script::no_content()]).await;
    let log = follow(&mut get(server.url("/"))).await;
    assert_eq!(log.last().unwrap(), "stopped");
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_204_stops_under_any_policy_for_statuses() {
    let server = Server::start([]).await;
    let log = follow(&mut get(server.url("/")).retry_on(|_| true)).await;
    assert_eq!(log, ["connecting", "stopped"]);
}

#[tokio::test]
async fn a_500_is_retried_at_the_first_connection() {
    let error = Script::status("500 Internal Server Error", &[]);
    let server = Server::start([error, Script::events("data: a\n\n")]).await;
    let log = follow(&mut get(server.url("/"))).await;
    assert_eq!(
        log,
        [
            "connecting",
            "500; again in 20ms",
            "open",
            "[] message: a",
            "ended; again in 20ms",
            "stopped"
        ]
    );
}

#[tokio::test]
async fn a_500_is_retried_on_a_reconnect_and_the_id_is_kept() {
    let error = Script::status("500 Internal Server Error", &[]);
    let server = Server::start([
        Script::events("id: 1\ndata: a\n\n"),
        error.clone(),
        error,
        Script::events("data: b\n\n"),
    ])
    .await;
    let log = follow(&mut get(server.url("/"))).await;
    assert_eq!(
        log,
        [
            "connecting",
            "open",
            "[1] message: a",
            "ended; again in 20ms",
            "500; again in 40ms",
            "500; again in 80ms",
            "open",
            "[1] message: b",
            "ended; again in 20ms",
            "stopped"
        ]
    );
    let one = || Some("1".to_owned());
    assert_eq!(server.ids(), [None, one(), one(), one(), one()]);
}

#[tokio::test]
async fn a_500_is_final_under_the_standard_policy() {
    let error = Script::status("500 Internal Server Error", &[]);
    let server = Server::start([Script::events("data: a\n\n"), error]).await;
    let mut source = get(server.url("/")).retry_on(sse_client::retry::standard);
    let log = follow(&mut source).await;
    assert_eq!(log.last().unwrap(), "failed: 500");
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn the_id_survives_connections_whose_events_have_none() {
    let server = Server::start([
        Script::events("id: 1\ndata: a\n\n"),
        Script::events("data: b\n\n"),
        Script::events("data: c\n\n"),
        Script::stream().chunk("data: d\n\n").cut(),
        Script::events(""),
    ])
    .await;
    let mut source = get(server.url("/"));
    let log = follow(&mut source).await;
    let events: Vec<_> = log.iter().filter(|line| line.starts_with('[')).collect();
    assert_eq!(
        events,
        [
            "[1] message: a",
            "[1] message: b",
            "[1] message: c",
            "[1] message: d"
        ]
    );
    assert_eq!(server.ids()[0], None);
    assert_eq!(server.ids()[1..], vec![Some("1".to_owned()); 5]);
    assert_eq!(source.last_event_id(), "1");
}

#[tokio::test]
async fn a_block_with_only_an_id_sets_it() {
    let server = Server::start([Script::events("id: 9\n\n")]).await;
    let log = follow(&mut get(server.url("/"))).await;
    assert!(!log.iter().any(|line| line.starts_with('[')), "{log:?}");
    assert_eq!(server.ids(), [None, Some("9".into())]);
}

#[tokio::test]
async fn a_block_with_only_a_retry_sets_it() {
    let server = Server::start([
        Script::events("retry: 31\n\n"),
        // Not even a blank line is needed.
        Script::events("data: a\n\nretry: 32\n"),
        Script::events("data: a\n\n"),
    ])
    .await;
    let log = follow(&mut get(server.url("/"))).await;
    let waits: Vec<_> = log.iter().filter(|line| line.contains("again")).collect();
    assert_eq!(
        waits,
        [
            "ended; again in 31ms",
            "ended; again in 32ms",
            "ended; again in 32ms"
        ]
    );
}

#[tokio::test]
async fn without_an_id_so_far_none_is_sent() {
    let server = Server::start([Script::events("data: a\n\n"), Script::stream().cut()]).await;
    closed(get(server.url("/"))).await;
    assert_eq!(server.ids(), [None, None, None]);
}

#[tokio::test]
async fn a_302_is_followed() {
    let server = Server::start([
        Script::status("302 Found", &["Location: /there"]),
        Script::events("data: a\n\n"),
    ])
    .await;
    let log = follow(&mut get(server.url("/"))).await;
    assert_eq!(log[..3], ["connecting", "open", "[] message: a"]);
}

#[tokio::test]
async fn a_301_with_a_relative_location_is_followed() {
    let server = Server::start([
        Script::status("301 Moved Permanently", &["Location: ../c?d"]),
        Script::events("data: a\n\n"),
    ])
    .await;
    let log = follow(&mut get(server.url("/a/b/x"))).await;
    assert_eq!(log[..3], ["connecting", "open", "[] message: a"]);
    assert_eq!(server.requests()[1].path, "/a/c?d");
}

#[tokio::test]
async fn an_html_page_on_a_reconnect_is_final() {
    let page = Script::whole("200 OK", &["Content-Type: text/html"], "data: a\n\n");
    let server = Server::start([Script::events("data: a\n\n"), page]).await;
    let log = follow(&mut get(server.url("/"))).await;
    assert_eq!(
        log.last().unwrap(),
        "failed: the server answered 200 OK with text/html, not an event stream: data: a"
    );
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn max_retries_3_makes_four_attempts_at_a_server_that_cuts_them_off() {
    let server = Server::start(times(&Script::default().cut(), 10)).await;
    let mut source = get(server.url("/")).backoff(quick().max_retries(3));
    assert_eq!(
        follow(&mut source).await,
        [
            "connecting",
            "no connection; again in 20ms",
            "no connection; again in 40ms",
            "no connection; again in 80ms",
            "gave up after 4: no connection"
        ]
    );
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn max_retries_3_makes_four_attempts_where_nobody_listens() {
    // Bound, so that nobody else gets the port, and not listening.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}/", socket.local_addr().unwrap());
    let mut source = get(url).backoff(quick().max_retries(3));
    let log = follow(&mut source).await;
    assert_eq!(log.len(), 5);
    assert_eq!(log.last().unwrap(), "gave up after 4: no connection");
}

#[tokio::test]
async fn a_connection_that_brings_text_and_no_event_says_so() {
    let server = Server::start([Script::events("{\"error\":\n\"context size\"}")]).await;
    let log = follow(&mut get(server.url("/"))).await;
    let said = "the server ended the stream without an event; \
                it sent: {\"error\": \"context size\"}; again in 20ms";
    assert_eq!(log, ["connecting", "open", said, "stopped"]);
}
