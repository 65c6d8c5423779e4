//! The output: its text, its stream and its time.

use std::fmt::Write as _;

use crate::{
    process::{Sse, command},
    server::{STREAM, Server},
};

/// Everything that text output knows.
const EVENTS: &str = "data: plain\n\n\
    event: price\nid: 7\ndata: {\"a\":1}\ndata:\ndata: two\n\n\
    data: with the id of before\n\n";

#[test]
fn json_is_one_line_per_event_flushed_while_the_stream_is_open() {
    let server = Server::start();
    let sse = Sse::start(&["tail", "--json", "--no-reconnect", &server.url()]);
    let mut connection = server.accept_stream("");
    for (sent, expected) in [
        ("data: a\n\n", r#"{"id":"","event":"message","data":"a"}"#),
        (
            "event: price\nid: 7\ndata: {\"a\":1}\ndata: \"two\"\n\n",
            r#"{"id":"7","event":"price","data":"{\"a\":1}\n\"two\""}"#,
        ),
        (
            "id: 8\n\ndata: ü\n\n",
            r#"{"id":"8","event":"message","data":"ü"}"#,
        ),
        ("id\ndata: \n\n", r#"{"id":"","event":"message","data":""}"#),
    ] {
        connection.send(sent);
        assert_eq!(sse.line(), format!("{expected}\n"));
    }
    drop(connection);
    let ended = sse.end();
    assert_eq!((ended.code, &*ended.stdout), (Some(0), ""));
}

#[test]
fn text_is_readable_and_complete() {
    let server = Server::start();
    let sse = Sse::start(&["tail", "--no-reconnect", &server.url()]);
    drop(server.accept_stream(EVENTS));
    assert_eq!(
        sse.end().stdout,
        "plain\n\
         price  id 7\n  {\"a\":1}\n\n  two\n\
         message  id 7\n  with the id of before\n"
    );
}

#[test]
fn what_happens_to_the_connection_is_told_on_stderr_only() {
    let server = Server::start();
    let sse = Sse::start(&["tail", "--max-events", "2", &server.url()]);
    drop(server.accept_stream("retry: 1\n\ndata: a\n\n"));
    assert_eq!(sse.note(), format!("connected to {}\n", server.url()));
    let lost = sse.note();
    assert!(
        lost.starts_with("the server ended the stream; again in 0."),
        "{lost}"
    );
    let _connection = server.accept_stream("data: b\n\n");
    let ended = sse.end();
    assert_eq!(ended.stderr, format!("connected to {}\n", server.url()));
    assert_eq!(ended.stdout, "a\nb\n");
}

#[test]
fn quiet_says_only_why_it_fails() {
    let server = Server::start();
    let sse = Sse::start(&["tail", "-q", "--no-reconnect", &server.url()]);
    drop(server.accept_stream("data: a\n\n"));
    assert_eq!(sse.end().stderr, "");
    let sse = Sse::start(&["tail", "-q", &server.url()]);
    server.accept().answer("404 Not Found");
    assert_eq!(
        sse.end().stderr,
        "error: the server answered 404 Not Found\n"
    );
}

#[test]
fn what_a_hostile_server_sends_does_not_reach_the_terminal_as_it_is() {
    let hostile = "event: \u{1b}[2J\nid: \u{9b}31m\ndata: \u{1b}]52;c;AAAA\u{7}\tb\u{7f}\n\n";
    let server = Server::start();
    for option in ["--no-reconnect", "--json"] {
        let sse = Sse::start(&["tail", "--max-events", "1", option, &server.url()]);
        let _connection = server.accept_stream(hostile);
        let ended = sse.end();
        let is_harmless =
            |text: &str| !text.contains(|c: char| c.is_control() && !"\t\n".contains(c));
        assert!(is_harmless(&ended.stdout), "{ended:?}");
        assert!(ended.stdout.contains("]52;c;AAAA"), "{ended:?}");
    }
    // Errors repeat the text of a server.
    let sse = Sse::start(&["tail", &server.url()]);
    server
        .accept()
        .answer("200 OK\r\ncontent-type: a\u{9b}31m/b");
    assert_eq!(
        sse.end().stderr,
        "error: the server answered 200 OK with a\\u{9b}31m/b, not an event stream\n"
    );
}

#[test]
fn colours_are_for_those_who_want_them() {
    let server = Server::start();
    for (variables, coloured) in [
        (&[][..], false),
        (&[("CLICOLOR_FORCE", "1")], true),
        (&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
    ] {
        let arguments = ["tail", "--max-events", "1", &server.url()];
        let sse = Sse::spawn(command(&arguments).envs(variables.iter().copied()));
        let _connection = server.accept_stream("event: a\ndata: b\n\n");
        let ended = sse.end();
        let (stdout, stderr) = if coloured {
            (
                "\u{1b}[1m\u{1b}[36ma\u{1b}[0m\n  b\n",
                "\u{1b}[2mconnected to ",
            )
        } else {
            ("a\n  b\n", "connected to ")
        };
        assert_eq!(ended.stdout, stdout, "{variables:?}");
        assert!(ended.stderr.starts_with(stderr), "{variables:?}: {ended:?}");
    }
}

#[test]
fn many_events_at_once_are_all_printed_in_order() {
    let server = Server::start();
    let sse = Sse::start(&["tail", "--no-reconnect", &server.url()]);
    let mut connection = server.accept();
    let (mut events, mut expected) = (String::new(), String::new());
    for n in 0..50_000 {
        write!(events, "data: {n}\n\n").unwrap();
        writeln!(expected, "{n}").unwrap();
    }
    connection.send(&format!("{STREAM}{events}"));
    drop(connection);
    assert!(sse.end().stdout == expected, "not the same");
}
