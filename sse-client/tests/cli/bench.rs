//! `sse bench`: its figures add up. No test asks how fast anything is.

use std::time::Instant;

use serde_json::Value;

use crate::{
    DEADLINE,
    app::App,
    process::{Sse, run},
    server::Server,
};

/// The JSON that a run prints.
fn summary(arguments: &[&str]) -> Value {
    let ended = run(&[&["bench", "--json", "-q"], arguments].concat());
    assert_eq!((ended.code, &*ended.stderr), (Some(0), ""), "{ended:?}");
    serde_json::from_str(&ended.stdout).unwrap()
}

/// Waits for a live line that says so.
#[cfg(unix)]
#[track_caller]
fn wait_for(sse: &Sse, text: &str) {
    let deadline = Instant::now() + DEADLINE;
    while !sse.note().contains(text) {
        assert!(Instant::now() < deadline, "no line has {text:?}");
    }
}

#[track_caller]
fn assert_sorted(percentiles: &Value) {
    let names = ["p50", "p90", "p99", "p99.9", "max"];
    let times = names.map(|name| percentiles[name].as_f64().unwrap());
    assert!(times.is_sorted() && times[0] >= 0.0, "{percentiles}");
}

#[test]
fn every_client_gets_what_is_published() {
    let app = App::start();
    let summary = summary(&[
        &app.url(""),
        "--clients",
        "50",
        "--duration",
        "1",
        "--publish",
        "20",
    ]);
    let number = |name: &str| summary[name].as_u64().unwrap();
    assert_eq!([number("clients"), number("opened")], [50, 50]);
    let published = number("published");
    assert!((1..=21).contains(&published), "{summary}");
    assert_eq!(number("events"), 50 * published, "{summary}");
    for name in ["publish_errors", "missing", "errors", "reconnects"] {
        assert_eq!(number(name), 0, "{name}: {summary}");
    }
    assert_eq!(summary["latency_from"], "publish");
    assert_sorted(&summary["latency_ms"]);
    assert_sorted(&summary["time_to_open_ms"]);
}

#[test]
fn without_publishing_clients_are_compared_with_the_first() {
    let app = App::start();
    let url = app.url("/events?topic=ticks");
    let summary = summary(&[&url, "--clients", "5", "--duration", "1"]);
    assert_eq!(summary["opened"], 5);
    assert!(summary["events"].as_u64().unwrap() > 0, "{summary}");
    assert!(
        summary["bytes"].as_u64() >= summary["events"].as_u64(),
        "{summary}"
    );
    assert!(summary.get("published").is_none(), "{summary}");
    assert_eq!(summary["latency_from"], "first client");
    assert_sorted(&summary["latency_ms"]);
}

#[test]
fn the_table_and_the_live_lines_say_it_too() {
    let app = App::start();
    let sse = Sse::start(&[
        "bench",
        &app.url("/events?topic=ticks"),
        "--clients",
        "3",
        "--duration",
        "2",
    ]);
    let line = sse.note();
    assert!(line.contains(" open"), "{line}");
    let ended = sse.end();
    let rows: Vec<_> = ended
        .stdout
        .lines()
        .map(|line| line.get(..14).unwrap_or(line).trim())
        .collect();
    let expected = [
        "clients",
        "events",
        "errors",
        "",
        "time to open",
        "behind first",
    ];
    assert_eq!(rows, expected, "{}", ended.stdout);
    assert!(
        ended.stdout.contains("3 of 3 open after"),
        "{}",
        ended.stdout
    );
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_it_with_the_result_so_far() {
    let app = App::start();
    let sse = Sse::start(&[
        "bench",
        &app.url("/events?topic=ticks"),
        "--clients",
        "3",
        "--duration",
        "3600",
    ]);
    wait_for(&sse, "3 open, ");
    sse.interrupt();
    let ended = sse.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended.stdout.starts_with("clients       3 of 3 open"),
        "{ended:?}"
    );
}

#[cfg(unix)]
#[test]
fn lost_connections_are_counted_and_made_again() {
    let server = Server::start();
    let url = server.url();
    let arguments = [
        "bench",
        "--json",
        &url,
        "--clients",
        "1",
        "--duration",
        "3600",
    ];
    let sse = Sse::start(&arguments);
    drop(server.accept_stream("retry: 1\ndata: a\n\n"));
    let _again = server.accept_stream("data: b\n\n");
    wait_for(&sse, "1 reconnects");
    sse.interrupt();
    let ended = sse.end();
    let summary: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(
        [&summary["errors"], &summary["reconnects"]],
        [1, 1],
        "{summary}"
    );
    let last = ended.stderr.lines().last();
    assert_eq!(last, Some("the last error: the server ended the stream"));
}

#[test]
fn a_bench_of_nothing_fails_as_tail_does() {
    let app = App::start();
    let address = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    for (arguments, code, error) in [
        (&[&*address.to_string()][..], 3, "error: cannot connect: "),
        (
            &[&app.url("/nowhere")],
            1,
            "error: the server answered 404 Not Found\n",
        ),
        (
            &[
                &app.url("/events"),
                "--publish",
                "10",
                "--publish-url",
                &app.url("/nowhere"),
            ],
            1,
            "error: the server answered 404 Not Found\n",
        ),
    ] {
        let ended = run(&[&["bench", "-q", "--duration", "0.5"], arguments].concat());
        assert_eq!(ended.code, Some(code), "{ended:?}");
        assert!(ended.stderr.starts_with(error), "{ended:?}");
        assert_eq!(ended.stdout, "");
    }
}
