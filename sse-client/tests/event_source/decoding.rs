//! Mistakes that other decoders make, as measured: each case through the whole client, with every
//! cut into two chunks and with chunks of one byte.

use std::{fmt::Write as _, time::Duration};

use sse_client::{DecodeError, Error, EventSource};

use super::{
    log::{closed, failure, follow, get, next_event, quick},
    scripted::{HEAD, Script, Server},
};

/// Every cut of a body gives the same events, and the same id for the next connection.
async fn every_cut(body: impl AsRef<[u8]>, events: &[&str], id: Option<&str>) {
    let body = body.as_ref();
    let client = reqwest::Client::new();
    let backoff = quick().initial(Duration::from_millis(1));
    let halves = (0..body.len()).map(|cut| {
        let (first, second) = body.split_at(cut);
        Script::chunks([first, second])
    });
    for script in halves.chain([Script::chunks(body.chunks(1))]) {
        let server = Server::start([script]).await;
        let source = EventSource::get(server.url("/")).backoff(backoff.clone());
        let log = follow(&mut source.transport(client.clone())).await;
        let got: Vec<_> = log.iter().filter(|line| line.starts_with('[')).collect();
        let text = String::from_utf8_lossy(body);
        assert_eq!(got, events, "{text:?}");
        assert_eq!(server.ids()[1].as_deref(), id, "{text:?}");
    }
}

// HTML 9.2.5: one leading BOM.
#[tokio::test]
async fn a_bom_at_the_start_is_stripped_once() {
    every_cut("\u{feff}data: a\n\n", &["[] message: a"], None).await;
    every_cut("\u{feff}\u{feff}data: a\n\n", &[], None).await;
}

// HTML 9.2.5: one leading BOM.
#[tokio::test]
async fn a_bom_is_stripped_at_the_start_of_each_connection() {
    let body = "\u{feff}data: a\n\n";
    let server = Server::start([Script::events(body), Script::events(body)]).await;
    let log = follow(&mut get(server.url("/"))).await;
    assert_eq!(
        log.iter().filter(|line| *line == "[] message: a").count(),
        2
    );
}

// HTML 9.2.5: one leading BOM.
#[tokio::test]
async fn a_later_bom_is_not_stripped() {
    let body = "data: a\n\n\u{feff}data: b\n\ndata: \u{feff}c\n\n";
    every_cut(body, &["[] message: a", "[] message: \u{feff}c"], None).await;
}

// HTML 9.2.5: `end-of-line`.
#[tokio::test]
async fn lines_may_end_with_cr_alone() {
    let body = "id: 1\rdata: a\r\rdata: b\rdata: c\r\r";
    every_cut(body, &["[1] message: a", "[1] message: b\nc"], Some("1")).await;
}

// HTML 9.2.5: `end-of-line`.
#[tokio::test]
async fn crlf_may_be_split_over_chunks() {
    let body = "data: a\r\n\r\ndata: b\r\ndata: c\r\n\r\n";
    every_cut(body, &["[] message: a", "[] message: b\nc"], None).await;
}

// HTML 9.2.6: a blank line dispatches the event.
#[tokio::test]
async fn an_event_is_dispatched_at_once_after_a_cr() {
    for body in [
        "data: a\r\r",
        "data: a\r\n\r",
        "data: a\n\r",
        "data: a\r\n\n",
    ] {
        let mut server = Server::start([Script::stream().chunk(body).hold()]).await;
        let mut source = get(server.url("/"));
        assert_eq!(next_event(&mut source).await, "[] message: a", "{body:?}");
        drop(source);
        server.gone().await;
    }
}

// HTML 9.2.6: UTF-8 decode.
#[tokio::test]
async fn invalid_utf8_becomes_replacement_characters() {
    every_cut(
        b"data: a\xffb\n\ndata: \xe2\x82\n\nid: \xf0\n\ndata: c\n\n",
        &[
            "[] message: a\u{fffd}b",
            "[] message: \u{fffd}",
            "[\u{fffd}] message: c",
        ],
        Some("\u{fffd}"),
    )
    .await;
}

// HTML 9.2.6: a line that starts with a colon.
#[tokio::test]
async fn invalid_utf8_inside_a_comment_is_ignored() {
    every_cut(b": \xff\xfe\ndata: a\n\n", &["[] message: a"], None).await;
}

// HTML 9.2.6: field `id`.
#[tokio::test]
async fn an_id_with_nul_is_ignored() {
    let body = "id: 1\ndata: a\n\nid: 2\0\ndata: b\n\n";
    every_cut(body, &["[1] message: a", "[1] message: b"], Some("1")).await;
}

// HTML 9.2.6: the last event id buffer.
#[tokio::test]
async fn an_id_holds_for_later_events() {
    let body = "id: 1\ndata: a\n\ndata: b\n\n";
    every_cut(body, &["[1] message: a", "[1] message: b"], Some("1")).await;
}

// HTML 9.2.6: field `id`.
#[tokio::test]
async fn an_empty_id_resets_the_id() {
    for empty in ["id", "id:", "id: "] {
        let body = format!("id: 1\ndata: a\n\n{empty}\ndata: b\n\n");
        every_cut(body, &["[1] message: a", "[] message: b"], None).await;
    }
}

// HTML 9.2.6: field `retry`.
#[tokio::test]
async fn a_block_with_only_a_retry_is_seen() {
    for (body, wait) in [
        ("retry: 33\n\n", 33),
        ("retry:33\r\r", 33),
        ("retry: 0033\n", 33),
        ("retry: 33\n\nretry: 34\n\n", 34),
        ("retry: 33", 20),
    ] {
        assert_eq!(
            wait_after(body).await,
            Duration::from_millis(wait),
            "{body:?}"
        );
    }
}

// HTML 9.2.6: field `retry`.
#[tokio::test]
async fn a_retry_of_anything_but_digits_is_ignored() {
    for value in ["+5", "-5", "5.0", "5 ", " 5", "0x5", "", "٣", "five"] {
        let wait = wait_after(&format!("retry: {value}\n\n")).await;
        assert_eq!(wait, Duration::from_millis(20), "{value:?}");
    }
}

/// Returns the wait after a stream.
async fn wait_after(body: &str) -> Duration {
    let server = Server::start([Script::events(body)]).await;
    let (sender, waits) = std::sync::mpsc::channel();
    let source =
        get(server.url("/")).on_retry(move |connecting| sender.send(connecting.wait).unwrap());
    closed(source).await;
    waits.recv().unwrap()
}

// HTML 9.2.6: a line without a colon.
#[tokio::test]
async fn data_may_stand_without_a_colon() {
    every_cut("data\n\n", &["[] message: "], None).await;
    every_cut("data\ndata\n\n", &["[] message: \n"], None).await;
}

// HTML 9.2.6: field `event`.
#[tokio::test]
async fn an_empty_type_makes_a_message() {
    let body = "event: x\nevent:\ndata: a\n\nevent\ndata: b\n\n";
    every_cut(body, &["[] message: a", "[] message: b"], None).await;
}

// HTML 9.2.6: the end of the stream discards pending data.
#[tokio::test]
async fn an_event_that_is_unfinished_at_a_clean_end_is_discarded() {
    for unfinished in ["data: b\n", "data: b", "id: 2\ndata: b\n", "id: 2\n", "\r"] {
        let body = format!("id: 1\ndata: a\n\n{unfinished}");
        every_cut(body, &["[1] message: a"], Some("1")).await;
    }
}

#[tokio::test]
async fn a_line_of_64_mib_without_an_end_exceeds_the_limit() {
    let piece = "x".repeat(64 << 10);
    let endless = Script::default()
        .send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: ")
        .flood(piece, 1_024)
        .cut();
    let mut server = Server::start([endless]).await;
    let error = failure(get(server.url("/"))).await;
    let limit = 4 << 20;
    assert!(
        matches!(error, Error::Decode(DecodeError::LineTooLong { limit: told }) if told == limit),
        "{error:?}"
    );
    assert!(error.to_string().contains("4194304 bytes"), "{error}");
    server.gone().await;
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn an_event_of_1_mib_in_chunks_of_16_bytes_is_read() {
    let data = "0123456789abcde".repeat(70_000);
    let body = format!("data: {data}\n\n");
    let server = Server::start([Script::chunks(body.as_bytes().chunks(16))]).await;
    let mut source = get(server.url("/"));
    assert_eq!(next_event(&mut source).await, format!("[] message: {data}"));
}

#[tokio::test]
async fn two_hundred_thousand_small_events_are_read_in_order() {
    const COUNT: usize = 200_000;
    let mut body = String::new();
    for number in 0..COUNT {
        write!(body, "id: {number}\ndata: {number}\n\n").unwrap();
    }
    let script = body
        .as_bytes()
        .chunks(1_460)
        .fold(Script::default().send(HEAD), Script::chunk)
        .end();
    let server = Server::start([script]).await;
    let source = get(server.url("/"));
    let mut expected = 0;
    let (sender, seen) = std::sync::mpsc::channel();
    source.handle().on_any(move |event| {
        let text = expected.to_string();
        assert_eq!((&event.id, &event.data), (&text, &text));
        expected += 1;
        sender.send(()).unwrap();
    });
    closed(source).await;
    assert_eq!(seen.try_iter().count(), COUNT);
}
