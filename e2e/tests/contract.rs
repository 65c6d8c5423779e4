//! The contract of the example app, checked by a bare HTTP client on all five.
//!
//! A case that is not in the list is dead code, which is a warning.

use std::{
    ffi::OsStr,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use anyhow::{Context as _, Result};
use e2e::{App, Folder, Server, publish, request};
use sse_conformance::{
    DEADLINE,
    adapter::{Body, Client, Piece, Response},
    in_time,
};
use tokio::{io::AsyncWriteExt as _, net::TcpStream, time::timeout};

/// Expands to the whole suite, as tests of one app.
macro_rules! contract {
    ($app:expr) => {
        cases!(
            $app,
            [
                the_page_is_there_and_loads_nothing_from_elsewhere,
                a_stream_has_exactly_these_headers,
                a_published_message_arrives_byte_for_byte,
                no_topic_is_the_default_topic,
                bad_input_is_a_400_with_the_reason_and_reaches_no_stream,
                the_clock_ticks_every_second,
                the_last_1000_messages_are_replayed_and_older_ones_are_a_gap,
                sigterm_ends_a_hundred_streams_cleanly_and_then_the_process,
                a_client_that_never_reads_does_not_hold_up_the_end,
                a_request_that_is_never_finished_does_not_hold_up_the_end,
                a_taken_address_is_an_error_that_says_what_to_do,
            ]
        );
    };
}

macro_rules! cases {
    ($app:expr, [$($case:ident),* $(,)?]) => {
        $(
            #[tokio::test]
            async fn $case() -> anyhow::Result<()> {
                super::$case($app).await
            }
        )*
    };
}

mod axum {
    contract!(e2e::App::Axum);
    // The only one with `--store`.
    cases!(
        e2e::App::Axum,
        [
            a_client_resumes_across_kill_9_with_exactly_what_it_missed,
            a_store_in_use_is_an_error_that_says_what_to_do,
            a_wrong_argument_is_an_error_that_says_the_usage,
        ]
    );
}

mod actix {
    contract!(e2e::App::Actix);
}

mod warp {
    contract!(e2e::App::Warp);
}

mod rocket {
    contract!(e2e::App::Rocket);
}

mod poem {
    contract!(e2e::App::Poem);
}

/// The time within which an app ends. The contract says 2 s, and this has as much again for a
/// machine that runs other tests at the same time. No server would end within either without ending
/// its streams.
const WITHIN: Duration = Duration::from_secs(4);

const ANY_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

async fn get(server: &Server, path: &str) -> Response {
    Client::connect(server.address()).await.get(path).await
}

/// Returns an open stream of which only the id of its place has been read.
async fn open(server: &Server, path: &str) -> Body {
    let mut body = get(server, path).await.body;
    body.opening().await;
    body
}

async fn the_page_is_there_and_loads_nothing_from_elsewhere(app: App) -> Result<()> {
    let server = Server::start(app).await?;
    let response = get(&server, "/").await;
    assert_eq!(response.status, 200);
    assert_eq!(
        response.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    let page = response.body.rest().await;
    assert!(page.contains("EventSource"));
    assert!(!page.contains("https://"));
    Ok(())
}

async fn a_stream_has_exactly_these_headers(app: App) -> Result<()> {
    let server = Server::start(app).await?;
    let response = get(&server, "/events?topic=a&topic=b").await;
    assert_eq!(
        (response.version.as_str(), response.status),
        ("HTTP/1.1", 200)
    );
    let mut headers = response.headers.clone();
    headers.retain(|(name, value)| !is_the_frameworks_own(name, value));
    headers.sort_unstable();
    let expected = [
        ("cache-control", "no-cache, no-transform"),
        ("content-type", "text/event-stream"),
        ("transfer-encoding", "chunked"),
        ("x-accel-buffering", "no"),
    ];
    assert_eq!(
        headers,
        expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    Ok(())
}

/// Returns `true` for a header that a framework may add, because no client and no proxy treats a
/// stream differently for it.
fn is_the_frameworks_own(name: &str, value: &str) -> bool {
    const HARMLESS: [&str; 5] = [
        "date",
        "server",
        // Rocket's shield.
        "permissions-policy",
        "x-content-type-options",
        "x-frame-options",
    ];
    // This one keeps a compressor of the framework away.
    HARMLESS.contains(&name) || (name, value) == ("content-encoding", "identity")
}

async fn a_published_message_arrives_byte_for_byte(app: App) -> Result<()> {
    let server = Server::start(app).await?;
    let mut body = open(&server, "/events?topic=a&topic=b").await;
    let rows = [
        ("topic=a&id=1", "hello", "id: 1\ndata: hello\n\n"),
        ("topic=b&event=x&id=2", "", "id: 2\nevent: x\ndata: \n\n"),
        (
            "topic=a&topic=b&id=gr%C3%BCn",
            "\u{1f600}",
            "id: gr\u{fc}n\ndata: \u{1f600}\n\n",
        ),
        // Line breaks in the body are data.
        (
            "topic=a&id=3",
            "a\nb\r\nc\rd\n",
            "id: 3\ndata: a\ndata: b\ndata: c\ndata: d\ndata: \n\n",
        ),
        (
            "topic=a&id=4",
            "x\n\nevent: y\ndata: z",
            "id: 4\ndata: x\ndata: \ndata: event: y\ndata: data: z\n\n",
        ),
    ];
    for (query, data, expected) in rows {
        server.publish(query, data).await?;
        assert_eq!(body.text().await, expected);
    }
    let id = server.publish("topic=a", "generated").await?;
    assert_eq!(body.text().await, format!("id: {id}\ndata: generated\n\n"));
    Ok(())
}

async fn no_topic_is_the_default_topic(app: App) -> Result<()> {
    let server = Server::start(app).await?;
    let mut default = open(&server, "/events").await;
    let mut empty = open(&server, "/events?topic=").await;
    server.publish("topic=other", "not for them").await?;
    server.publish("", "1").await?;
    server.publish("topic=", "2").await?;
    assert_eq!(default.data(2).await, ["1", "2"]);
    assert_eq!(empty.data(2).await, ["1", "2"]);
    Ok(())
}

async fn bad_input_is_a_400_with_the_reason_and_reaches_no_stream(app: App) -> Result<()> {
    let server = Server::start(app).await?;
    let mut body = open(&server, "/events").await;
    let queries = [
        "id=a%0Ab",
        "id=a%0Db",
        "id=a%0D%0Ab",
        "id=a%00b",
        "id=a%01b",
        "id=a%7Fb",
        "id=+a",
        "id=a%20",
        "id=%09a",
        "id=%20",
        "event=a%0Ab",
        "event=a%0Db",
        "event=",
        "id=1&id=2",
    ];
    for query in queries {
        let answer = request(server.address(), "POST", &format!("/publish?{query}"), "x").await?;
        assert_eq!(answer.status, 400, "{query}");
        let (field, _) = query.split_once('=').context("a field")?;
        assert!(answer.body.contains(field), "{query}: {}", answer.body);
    }
    let answer = post_bytes(&server, b"\xff\xfe").await?;
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.header("content-type"),
        Some("text/plain; charset=utf-8")
    );
    assert!(answer.body.rest().await.contains("UTF-8"));
    server.publish("", "only this").await?;
    assert_eq!(body.event().await.data, "only this");
    Ok(())
}

async fn post_bytes(server: &Server, bytes: &[u8]) -> Result<Response> {
    let length = bytes.len().to_string();
    let client = Client::connect(server.address()).await;
    Ok(client
        .post("/publish", &[("content-length", length.as_bytes())], bytes)
        .await)
}

async fn the_clock_ticks_every_second(app: App) -> Result<()> {
    let server = Server::start(app).await?;
    let mut body = open(&server, "/events?topic=clock").await;
    let mut ticks = Vec::new();
    for _ in 0..3 {
        let event = body.event().await;
        assert_eq!(event.event, "clock");
        ticks.push(event.data);
    }
    assert!(ticks.windows(2).all(|pair| pair[0] < pair[1]), "{ticks:?}");
    Ok(())
}

async fn the_last_1000_messages_are_replayed_and_older_ones_are_a_gap(app: App) -> Result<()> {
    let server = Server::start(app).await?;
    let first = server.publish("", "first").await?;
    let second = server.publish("", "0").await?;
    for n in 1..900 {
        server.publish("", &n.to_string()).await?;
    }
    for path in [
        format!("/events?lastEventId={first}"),
        format!("/events?last_event_id={first}"),
    ] {
        let expected: Vec<_> = (0..900).map(|n| n.to_string()).collect();
        let mut resumed = get(&server, &path).await.body;
        assert_eq!(resumed.text().await, ":\n", "it has an id already");
        assert_eq!(resumed.data(900).await, expected);
    }
    let headers = [("Last-Event-ID", second.as_bytes())];
    let client = Client::connect(server.address()).await;
    let mut resumed = client
        .get_with(&format!("/events?lastEventId={first}"), &headers)
        .await
        .body;
    assert_eq!(resumed.event().await.data, "1", "the header wins");
    for n in 0..200 {
        server.publish("topic=other", &n.to_string()).await?;
    }
    let mut gap = get(&server, &format!("/events?lastEventId={first}"))
        .await
        .body;
    let event = gap.event().await;
    assert_eq!(
        (event.event.as_str(), event.data.as_str()),
        ("gap", r#"{"reason":"expired"}"#)
    );
    assert!(!event.id.is_empty(), "it says where the stream goes on");
    Ok(())
}

async fn sigterm_ends_a_hundred_streams_cleanly_and_then_the_process(app: App) -> Result<()> {
    let server = Server::start(app).await?;
    let mut bodies = Vec::new();
    for _ in 0..100 {
        bodies.push(open(&server, "/events").await);
    }
    server.publish("", "last").await?;
    let status = server.stop(WITHIN).await?;
    assert!(status.success(), "{status}");
    for mut body in bodies {
        assert_eq!(body.event().await.data, "last");
        assert_eq!(body.piece().await, Piece::End, "a proper last chunk");
    }
    Ok(())
}

async fn a_client_that_never_reads_does_not_hold_up_the_end(app: App) -> Result<()> {
    let server = Server::start(app).await?;
    let _deaf = get(&server, "/events").await;
    let data = "x".repeat(1 << 20);
    for _ in 0..20 {
        server.publish("", &data).await?;
    }
    let status = server.stop(WITHIN).await?;
    assert!(status.success(), "{status}");
    Ok(())
}

async fn a_request_that_is_never_finished_does_not_hold_up_the_end(app: App) -> Result<()> {
    let server = Server::start(app).await?;
    let mut clients = Vec::new();
    for start in [
        "",
        "GET /events HTTP/1.1\r\nhost: a\r\nx: ",
        "POST /publish HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nx",
    ] {
        let mut client = TcpStream::connect(server.address()).await?;
        client.write_all(start.as_bytes()).await?;
        clients.push(client);
    }
    // A request after these has been answered, so the server has seen them.
    open(&server, "/events").await;
    let status = server.stop(WITHIN).await?;
    assert!(status.success(), "{status}");
    Ok(())
}

async fn a_taken_address_is_an_error_that_says_what_to_do(app: App) -> Result<()> {
    let server = Server::start(app).await?;
    let error = refusal(app, server.address(), &[]).await?;
    assert!(error.contains("set ADDR to another address"), "{error}");
    Ok(())
}

async fn a_client_resumes_across_kill_9_with_exactly_what_it_missed(app: App) -> Result<()> {
    let folder = Folder::create()?;
    let mut server = Server::start_with(app, ANY_PORT, folder.as_store()).await?;
    let address = server.address();
    let first = server.publish("", "first").await?;
    let mut last = first.clone();
    let mut numbers = (0..).map(|n: u32| n.to_string());
    let mut all = Vec::new();
    for _ in 0..3 {
        let mut body = resumed(&server, &last).await;
        let missed: Vec<_> = numbers.by_ref().take(300).collect();
        let (before, after) = missed.split_at(200);
        server.publish("", "seen").await?;
        let seen = in_time("a message", body.event()).await;
        assert_eq!(seen.data, "seen", "nothing comes twice");
        for data in before {
            server.publish("", data).await?;
        }
        server.kill().await?;
        assert!(publish(address, "", "to nobody").await.is_err());
        drop(body); // without having read on

        server = Server::start_with(app, address, folder.as_store()).await?;
        for data in after {
            server.publish("", data).await?;
        }
        let mut body = resumed(&server, &seen.id).await;
        assert_eq!(in_time("the missed messages", body.data(300)).await, missed);
        last = server.publish("", "live").await?;
        let live = in_time("a message", body.event()).await;
        assert_eq!(live.data, "live", "nothing came twice");
        all.extend([vec!["seen".to_owned()], missed, vec!["live".to_owned()]].concat());
    }
    let mut body = resumed(&server, &first).await;
    let replayed = in_time("the messages that three runs stored", body.data(all.len())).await;
    assert_eq!(replayed, all);
    server.kill().await
}

/// Returns a stream of the default topic, after the message with this id.
async fn resumed(server: &Server, id: &str) -> Body {
    let headers = [("Last-Event-ID", id.as_bytes())];
    let client = Client::connect(server.address()).await;
    client.get_with("/events", &headers).await.body
}

async fn a_store_in_use_is_an_error_that_says_what_to_do(app: App) -> Result<()> {
    let folder = Folder::create()?;
    let server = Server::start_with(app, ANY_PORT, folder.as_store()).await?;
    let error = refusal(app, ANY_PORT, &folder.as_store()).await?;
    let path = folder.path().display().to_string();
    for part in [path.as_str(), "in use", "choose another directory"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    let mut body = open(&server, "/events").await;
    server.publish("", "unharmed").await?;
    assert_eq!(body.event().await.data, "unharmed");
    server.kill().await
}

async fn a_wrong_argument_is_an_error_that_says_the_usage(app: App) -> Result<()> {
    let rows = [
        ["--store"].as_slice(),
        &["--stor", "a"],
        &["--store", "a", "b"],
        &["a"],
    ];
    for row in rows {
        let arguments: Vec<_> = row.iter().map(OsStr::new).collect();
        let error = refusal(app, ANY_PORT, &arguments).await?;
        assert!(error.contains("usage: example-axum"), "{error}");
    }
    Ok(())
}

/// Returns the error output of an app that does not start.
async fn refusal(app: App, address: SocketAddr, arguments: &[&OsStr]) -> Result<String> {
    let mut command = Server::command_at(app, address)?;
    let output = timeout(DEADLINE, command.args(arguments).output());
    let output = output.await.context("it ends at once")??;
    assert!(!output.status.success());
    Ok(String::from_utf8(output.stderr)?)
}
