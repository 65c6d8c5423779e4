//! A connection on which nothing comes.

use std::time::Duration;

use sse_client::{Connecting, Update};

use super::{
    log::{get, log, next, next_event, quick},
    memory::{Answer, Memory, Part},
    scripted::{Script, Server},
};

const AFTER: Duration = Duration::from_secs(45);

fn every_15_seconds(bytes: &'static str, times: usize) -> impl Iterator<Item = Part> {
    (0..times).flat_map(move |_| [Part::Wait(Duration::from_secs(15)), Part::Bytes(bytes)])
}

async fn idle_at(parts: Vec<Part>) -> (Vec<String>, u128) {
    let memory = Memory::new([Answer::Stream(parts)]);
    let mut source = memory.source().backoff(quick()).idle_timeout(AFTER);
    let log = log(&mut source).await;
    (log, memory.times()[1])
}

#[tokio::test(start_paused = true)]
async fn silence_ends_the_connection_and_another_is_made() {
    let (log, again) = idle_at(vec![Part::Bytes("id: 1\ndata: a\n\n"), Part::Silence]).await;
    assert_eq!(
        log,
        [
            "connecting",
            "open",
            "[1] message: a",
            "idle; again in 20ms",
            "stopped"
        ]
    );
    assert_eq!(again, 45_020);
}

#[tokio::test(start_paused = true)]
async fn any_byte_is_life() {
    for life in [
        ": alive\n",
        ":",
        "\n",
        "data: half",
        "unknown\n",
        "id: 1\n",
        "retry: 1\n",
    ] {
        let parts = every_15_seconds(life, 10).chain([Part::Silence]).collect();
        let (log, again) = idle_at(parts).await;
        assert!(log[2].starts_with("idle"), "{life:?}: {log:?}");
        // Ten times 15 s, then 45 s; the wait depends on the retry.
        assert!(again > 195_000, "{life:?}: {again}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_byte_in_the_last_moment_is_life() {
    let parts = vec![
        Part::Wait(Duration::from_millis(44_999)),
        Part::Bytes(":"),
        Part::Wait(Duration::from_millis(44_999)),
        Part::Bytes("\ndata: a\n\n"),
        Part::Silence,
    ];
    let (log, again) = idle_at(parts).await;
    assert_eq!(log[2..4], ["[] message: a", "idle; again in 20ms"]);
    assert_eq!(again, 3 * 45_000 - 2 + 20);
}

#[tokio::test(start_paused = true)]
async fn a_head_that_never_comes_is_silence() {
    let memory = Memory::new([Answer::Silence, Answer::Silence]);
    let mut source = memory.source().backoff(quick()).idle_timeout(AFTER);
    let log = log(&mut source).await;
    assert_eq!(
        log,
        [
            "connecting",
            "idle; again in 20ms",
            "idle; again in 40ms",
            "stopped"
        ]
    );
    assert_eq!(memory.times(), [0, 45_020, 90_060]);
}

#[tokio::test(start_paused = true)]
async fn a_consumer_that_is_slow_is_no_silence() {
    let parts = vec![
        Part::Bytes("data: a\n\ndata: b\n\n"),
        Part::Bytes("data: c\n\n"),
        Part::Silence,
    ];
    let memory = Memory::new([Answer::Stream(parts)]);
    let mut source = memory.source().backoff(quick()).idle_timeout(AFTER);
    for event in ["[] message: a", "[] message: b", "[] message: c"] {
        assert_eq!(next_event(&mut source).await, event);
        // pace: the consumer is busy for longer than the time limit; time is paused.
        tokio::time::sleep(AFTER * 2).await;
    }
    assert_eq!(next(&mut source).await, "idle; again in 20ms");
}

#[tokio::test(start_paused = true)]
async fn without_a_time_limit_silence_lasts() {
    let day = Duration::from_secs(86_400);
    let memory = Memory::new([Answer::Stream(vec![
        Part::Wait(day),
        Part::Bytes("data: a\n\n"),
    ])]);
    let mut source = memory.source().backoff(quick());
    // Without the deadline that other tests have: it would be over first.
    let log = log(&mut source).await;
    assert_eq!(log[2], "[] message: a");
    assert_eq!(memory.times()[1], 86_400_020);
}

#[tokio::test]
async fn the_idle_connection_is_closed_and_the_next_resumes() {
    let mut server = Server::start([
        Script::stream().chunk("id: 1\ndata: a\n\n").hold(),
        Script::default().hold(),
        Script::default().send("HTTP/1.1 200 OK\r\nContent-").hold(),
    ])
    .await;
    let time = Duration::from_millis(300);
    let mut source = get(server.url("/")).idle_timeout(time);
    assert_eq!(next_event(&mut source).await, "[1] message: a");
    assert_eq!(next(&mut source).await, "idle; again in 20ms");
    server.gone().await;
    assert_eq!(next(&mut source).await, "idle; again in 40ms");
    server.gone().await;
    assert_eq!(next(&mut source).await, "idle; again in 80ms");
    server.gone().await;
    assert_eq!(next(&mut source).await, "stopped");
    let one = || Some("1".to_owned());
    assert_eq!(server.ids(), [None, one(), one(), one()]);
}

#[tokio::test(start_paused = true)]
async fn the_error_says_whether_there_was_an_answer() {
    let answers = [Answer::Silence, Answer::Stream(vec![Part::Silence])];
    let memory = Memory::new(answers);
    let mut source = memory.source().backoff(quick()).idle_timeout(AFTER);
    let mut texts = Vec::new();
    while let Some(update) = source.next().await {
        if let Update::Connecting(Connecting {
            error: Some(error), ..
        }) = update
        {
            texts.push(error.to_string());
        }
    }
    assert_eq!(
        texts,
        [
            "no answer came for 45s; if the server is that slow, raise `idle_timeout`",
            "nothing came for 45s; if the server is that quiet, raise `idle_timeout`",
        ]
    );
    assert_eq!(memory.abandoned(), 2);
}
