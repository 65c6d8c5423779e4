//! `Handle::reconnect`.

use std::time::Duration;

use sse_client::Backoff;

use super::{
    log::{get, next, next_event},
    memory::{Answer, Memory, Part},
    scripted::{Script, Server},
};

#[tokio::test]
async fn an_open_connection_is_ended_and_the_next_resumes() {
    let mut server = Server::start([
        Script::stream()
            .chunk("id: 1\nretry: 70\ndata: a\n\nid: 2\n\n: b\n")
            .hold(),
        Script::stream().chunk("data: c\n\n").end(),
    ])
    .await;
    let mut source = get(server.url("/")).comments(true);
    let handle = source.handle().clone();
    let (sender, events) = std::sync::mpsc::channel();
    handle.on_any(move |event| sender.send(event.data.clone()).unwrap());
    assert_eq!(next_event(&mut source).await, "[1] message: a");
    assert_eq!(next(&mut source).await, ": b");
    let waiting = tokio::spawn(async move {
        let update = next(&mut source).await;
        (update, source)
    });
    tokio::task::yield_now().await;
    handle.reconnect();
    let (update, mut source) = waiting.await.unwrap();
    assert_eq!(update, "connecting");
    server.gone().await;
    assert_eq!(next_event(&mut source).await, "[2] message: c");
    assert_eq!(
        next(&mut source).await,
        "ended; again in 70ms",
        "as the server has set it"
    );
    assert_eq!(server.ids(), [None, Some("2".into())]);
    assert_eq!(events.try_iter().collect::<Vec<_>>(), ["a", "c"]);
}

#[tokio::test(start_paused = true)]
async fn a_wait_and_an_attempt_are_ended_too() {
    let memory = Memory::new([
        Answer::Refused,
        Answer::Silence,
        Answer::Stream(vec![Part::Bytes("data: a\n\n")]),
    ]);
    let minute = Backoff::default()
        .initial(Duration::from_secs(60))
        .jitter(0.0);
    let mut source = memory.source().backoff(minute);
    let handle = source.handle().clone();
    assert_eq!(next(&mut source).await, "connecting");
    assert_eq!(next(&mut source).await, "no connection; again in 60s");
    handle.reconnect();
    assert_eq!(next(&mut source).await, "connecting");
    // The attempt hangs.
    assert!(
        tokio::time::timeout(Duration::from_secs(1), source.next())
            .await
            .is_err()
    );
    handle.reconnect();
    handle.reconnect();
    assert_eq!(next(&mut source).await, "connecting");
    assert_eq!(next(&mut source).await, "open");
    assert_eq!(next(&mut source).await, "[] message: a");
    assert_eq!(memory.times(), [0, 0, 1_000]);
}

#[tokio::test]
async fn a_source_that_has_ended_stays_so() {
    let server = Server::start([]).await;
    let mut source = get(server.url("/"));
    let handle = source.handle().clone();
    assert_eq!(next(&mut source).await, "connecting");
    assert_eq!(next(&mut source).await, "stopped");
    handle.reconnect();
    assert_eq!(next(&mut source).await, "nothing");
    assert_eq!(server.requests().len(), 1);
}
