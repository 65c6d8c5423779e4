//! Closing and dropping, in every state.

use std::time::Duration;

use sse_client::{Closed, EventSource};
use sse_conformance::in_time;

use super::{
    log::{closed, follow, get, log, next, next_event},
    memory::{Answer, Memory, Part},
    scripted::{Script, Server},
};

#[tokio::test]
async fn close_from_a_callback_ends_the_connection() {
    let mut server = Server::start([Script::stream()
        .chunk("data: a\n\nevent: close\ndata: b\n\ndata: c\n\n")
        .hold()])
    .await;
    let mut source = get(server.url("/"));
    let handle = source.handle().clone();
    source.handle().on_event("close", move |_| handle.close());
    assert_eq!(
        follow(&mut source).await,
        [
            "connecting",
            "open",
            "[] message: a",
            "[] close: b",
            "closed"
        ]
    );
    server.gone().await;
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn what_a_main_prints_of_the_end_is_its_text() {
    let server = Server::start([Script::status("404 Not Found", &[])]).await;
    let closed = closed(get(server.url("/"))).await;
    assert_eq!(format!("{closed:?}"), "the server answered 404 Not Found");
    let Closed::Failed(error) = closed else {
        panic!("{closed}");
    };
    assert_eq!(format!("{error:?}"), error.to_string());
}

#[tokio::test]
async fn close_before_anything_sends_nothing() {
    let server = Server::start([]).await;
    let mut source = get(server.url("/"));
    source.handle().close();
    assert_eq!(follow(&mut source).await, ["closed"]);
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn close_from_another_task_while_connecting() {
    let mut server = Server::start([Script::default().hold()]).await;
    let source = get(server.url("/"));
    let handle = source.handle().clone();
    let running = tokio::spawn(source.run());
    server.request().await;
    handle.close();
    assert!(matches!(ended(running).await, Closed::ByClient));
    server.gone().await;
}

#[tokio::test]
async fn close_from_another_task_while_open() {
    let mut server = Server::start([Script::stream().hold()]).await;
    let mut source = get(server.url("/"));
    next(&mut source).await;
    assert_eq!(next(&mut source).await, "open");
    let handle = source.handle().clone();
    let running = tokio::spawn(source.run());
    handle.close();
    assert!(matches!(ended(running).await, Closed::ByClient));
    server.gone().await;
}

#[tokio::test]
async fn close_from_another_task_while_waiting() {
    let server = Server::start([Script::default().cut()]).await;
    let (sender, waits) = tokio::sync::oneshot::channel();
    let mut sender = Some(sender);
    let source = EventSource::get(server.url("/"))
        .on_retry(move |_| sender.take().unwrap().send(()).unwrap());
    let handle = source.handle().clone();
    let running = tokio::spawn(source.run());
    in_time("the wait", waits).await.unwrap();
    handle.close();
    assert!(matches!(ended(running).await, Closed::ByClient));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn closing_twice_or_after_the_end_is_nothing() {
    let server = Server::start([]).await;
    let mut source = get(server.url("/"));
    assert_eq!(follow(&mut source).await, ["connecting", "stopped"]);
    source.handle().close();
    source.handle().close();
    assert!(source.next().await.is_none());
}

#[tokio::test]
async fn dropping_while_open_closes_the_connection_at_once() {
    let mut server = Server::start([Script::stream().chunk("data: a\n\n").hold()]).await;
    let mut source = get(server.url("/"));
    assert_eq!(next_event(&mut source).await, "[] message: a");
    drop(source);
    server.gone().await;
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn dropping_while_the_server_sends_closes_the_connection_too() {
    let piece = "data: a\n\n".repeat(1_000);
    let endless = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
    let mut server =
        Server::start([Script::default().send(endless).flood(piece, usize::MAX)]).await;
    let mut source = get(server.url("/"));
    assert_eq!(next_event(&mut source).await, "[] message: a");
    drop(source);
    server.gone().await;
}

#[tokio::test]
async fn dropping_while_connecting_closes_the_connection_at_once() {
    let mut server = Server::start([Script::default().hold()]).await;
    let mut source = get(server.url("/"));
    assert_eq!(next(&mut source).await, "connecting");
    tokio::select! {
        update = source.next() => panic!("{update:?}"),
        _ = server.request() => {}
    }
    drop(source);
    server.gone().await;
}

#[tokio::test]
async fn dropping_the_future_of_next_loses_nothing() {
    let server = Server::start([Script::stream()
        .chunk("data: a\n\nda")
        .gate()
        .chunk("ta: b\n\n")
        .end()])
    .await;
    let mut source = get(server.url("/"));
    assert_eq!(next_event(&mut source).await, "[] message: a");
    let cancelled = Duration::from_millis(20);
    assert!(
        tokio::time::timeout(cancelled, source.next())
            .await
            .is_err()
    );
    server.go();
    assert_eq!(next_event(&mut source).await, "[] message: b");
}

#[tokio::test(start_paused = true)]
async fn dropping_lets_go_of_request_and_body_in_every_state() {
    for (answer, updates) in [
        (Answer::Refused, 0),
        (Answer::Silence, 1),
        (Answer::Refused, 2),
        (Answer::Stream(vec![Part::Silence]), 2),
        (
            Answer::Stream(vec![Part::Bytes("data: a\n\n"), Part::Silence]),
            3,
        ),
    ] {
        let memory = Memory::new([answer]);
        let mut source = memory.source();
        for _ in 0..updates {
            next(&mut source).await;
        }
        let more = tokio::time::timeout(Duration::from_secs(1), source.next()).await;
        assert_eq!(more.is_err(), updates > 0, "{updates}");
        drop(source);
        assert_eq!(memory.users(), 0, "{updates}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_connection_is_let_go_before_the_wait_for_the_next() {
    let memory = Memory::new([Answer::Stream(vec![Part::Lost])]);
    let mut source = memory.source();
    for _ in 0..3 {
        next(&mut source).await;
    }
    // The source itself has the transport, and its request has ended.
    assert_eq!(memory.users(), 1);
    assert_eq!(log(&mut source).await, ["stopped"]);
}

#[tokio::test]
async fn run_tells_why_it_ended() {
    let server = Server::start([]).await;
    let why = closed(get(server.url("/"))).await;
    assert!(matches!(why, Closed::Stopped));
    assert_eq!(
        why.to_string(),
        "the server ended the stream with 204 No Content"
    );
}

async fn ended(running: tokio::task::JoinHandle<Closed>) -> Closed {
    in_time("the end of the source", running).await.unwrap()
}
