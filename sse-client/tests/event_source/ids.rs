//! The id from which the next connection resumes.

use sse_client::EventSource;

use super::{
    log::{closed, follow, get, next, next_event, opened, quick},
    scripted::{Script, Server},
};

fn some(ids: &[&str]) -> Vec<Option<String>> {
    ids.iter().map(|id| Some((*id).to_owned())).collect()
}

#[tokio::test]
async fn the_users_header_is_the_start_until_the_stream_has_an_id() {
    let server = Server::start([
        Script::status("503 Service Unavailable", &[]),
        Script::events("data: a\n\n"),
        Script::events("id: 8\ndata: b\n\n"),
    ])
    .await;
    let mut source = get(server.url("/")).header("last-event-id", "7");
    let log = follow(&mut source).await;
    assert!(log.contains(&"[7] message: a".into()), "{log:?}");
    assert_eq!(server.ids(), some(&["7", "7", "7", "8"]));
}

#[tokio::test]
async fn a_header_of_the_users_request_is_the_start_too() {
    let server = Server::start([Script::events("id: 8\ndata: b\n\n")]).await;
    let request = http::Request::get(server.url("/"))
        .header("Last-Event-ID", "größe")
        .body("")
        .unwrap();
    closed(EventSource::request(request).backoff(quick())).await;
    assert_eq!(server.ids(), some(&["größe", "8"]));
}

#[tokio::test]
async fn an_empty_id_removes_the_users_header_too() {
    let server = Server::start([Script::events("id\ndata: b\n\n")]).await;
    closed(get(server.url("/")).header("last-event-id", "7")).await;
    assert_eq!(server.ids(), [Some("7".into()), None]);
}

#[tokio::test]
async fn resume_from_is_the_start() {
    let server = Server::start([
        Script::events("data: a\n\n"),
        Script::events("id: 8\ndata: b\n\n"),
    ])
    .await;
    let mut source = get(server.url("/")).resume_from("7");
    assert_eq!(source.last_event_id(), "7");
    follow(&mut source).await;
    assert_eq!(server.ids(), some(&["7", "7", "8"]));
    assert_eq!(source.last_event_id(), "8");
}

/// Other servers publish ids that ours would refuse, and recognize them by the part that HTTP
/// leaves.
#[tokio::test]
async fn an_id_with_blanks_at_its_ends_is_kept_as_it_is_and_sent_back() {
    let server = Server::start([Script::events("id:  7 \t\ndata: a\n\n")]).await;
    let mut source = get(server.url("/"));
    let log = follow(&mut source).await;
    assert!(log.contains(&"[ 7 \t] message: a".into()), "{log:?}");
    assert_eq!(source.last_event_id(), " 7 \t");
    assert_eq!(server.ids(), [None, Some("7".into())]);
}

#[tokio::test]
async fn resume_from_nothing_is_no_header() {
    let server = Server::start([]).await;
    closed(get(server.url("/")).resume_from("")).await;
    assert_eq!(server.ids(), [None]);
}

#[tokio::test]
async fn resume_from_an_id_that_no_header_can_hold_is_reported_and_not_sent() {
    for id in ["a\nb", "a\rb", "a\0b", "a\u{1}b"] {
        let server = Server::start([Script::events("data: a\n\n")]).await;
        let mut source = get(server.url("/")).resume_from(id);
        assert_eq!(opened(&mut source).await.unsent_id.as_deref(), Some(id));
        closed(source).await;
        assert_eq!(server.ids(), [None, None]);
    }
}

#[tokio::test]
async fn the_id_of_an_unfinished_event_is_discarded_with_it() {
    let server = Server::start([
        Script::stream()
            .chunk("id: 1\ndata: a\n\nid: 2\ndata: b\n")
            .cut(),
        Script::events("data: c\n\n"),
    ])
    .await;
    let mut source = get(server.url("/"));
    let log = follow(&mut source).await;
    assert_eq!(
        log,
        [
            "connecting",
            "open",
            "[1] message: a",
            "lost; again in 20ms",
            "open",
            "[1] message: c",
            "ended; again in 20ms",
            "stopped"
        ]
    );
    assert_eq!(server.ids(), [None, Some("1".into()), Some("1".into())]);
}

#[tokio::test]
async fn half_of_an_event_is_not_continued_by_the_next_connection() {
    let server = Server::start([
        Script::stream().chunk("event: tick\ndata: a\ndat").cut(),
        Script::events("a: b\n\ndata: c\n\n"),
    ])
    .await;
    let mut source = get(server.url("/"));
    assert_eq!(next_event(&mut source).await, "[] message: c");
}

#[tokio::test]
async fn a_chunk_that_breaks_off_is_a_loss_after_its_events() {
    let cut = "40\r\nid: 1\ndata: a\n\nid: 2\ndata: b";
    let server = Server::start([Script::stream().send(cut).cut()]).await;
    let log = follow(&mut get(server.url("/"))).await;
    assert_eq!(
        log,
        [
            "connecting",
            "open",
            "[1] message: a",
            "lost; again in 20ms",
            "stopped"
        ]
    );
    assert_eq!(server.ids(), [None, Some("1".into())]);
}

#[tokio::test]
async fn a_cut_between_two_chunks_is_a_loss_too() {
    let server = Server::start([Script::stream().chunk("data: a\n\n").cut()]).await;
    let mut source = get(server.url("/"));
    assert_eq!(next_event(&mut source).await, "[] message: a");
    assert_eq!(next(&mut source).await, "lost; again in 20ms");
}

#[tokio::test]
async fn the_last_id_can_be_asked_for_at_any_time() {
    let mut server = Server::start([
        Script::stream()
            .chunk("id: 1\ndata: a\n\n")
            .gate()
            .chunk("id: 2\n\n")
            .gate()
            .cut(),
        Script::stream().hold(),
    ])
    .await;
    let mut source = get(server.url("/"));
    assert_eq!(source.last_event_id(), "");
    next_event(&mut source).await;
    assert_eq!(source.last_event_id(), "1");
    server.go();
    server.go();
    assert_eq!(next(&mut source).await, "lost; again in 20ms");
    assert_eq!(source.last_event_id(), "2");
    assert_eq!(next(&mut source).await, "open");
    assert_eq!(source.last_event_id(), "2");
    source.handle().close();
    assert_eq!(next(&mut source).await, "closed");
    assert_eq!(source.last_event_id(), "2");
    server.gone().await;
}
