//! The ends of `sse tail` and their exit codes.

use crate::{
    process::{Ended, Sse, run},
    server::Server,
};

/// Runs it with options against a server that handles the first connection as given.
fn ended(options: &[&str], serve: impl FnOnce(&Server)) -> Ended {
    let server = Server::start();
    let sse = Sse::start(&[&["tail", &server.url()], options].concat());
    serve(&server);
    sse.end()
}

#[track_caller]
fn assert_end(ended: &Ended, code: i32, last_line: &str) {
    assert_eq!(ended.code, Some(code), "{ended:?}");
    let last = ended.stderr.lines().last();
    assert_eq!(last, Some(last_line), "{ended:?}");
}

#[test]
fn enough_events_are_0_also_when_more_have_come() {
    let server = Server::start();
    let sse = Sse::start(&["tail", "--max-events", "2", &server.url()]);
    let connection = server.accept_stream("data: a\n\ndata: b\n\ndata: c\n\n");
    let ended = sse.end();
    assert_eq!((ended.code, &*ended.stdout), (Some(0), "a\nb\n"));
    connection.left();
}

#[test]
fn a_server_that_ends_it_is_0() {
    let stopped = ended(&[], |server| server.accept().answer("204 No Content"));
    assert_end(
        &stopped,
        0,
        "the server ended the stream with 204 No Content",
    );
    let ended = ended(&["--no-reconnect"], |server| {
        drop(server.accept_stream("data: a\n\n"));
    });
    assert_end(&ended, 0, "the server ended the stream");
}

#[test]
fn a_refusal_is_1() {
    for (head, options, last_line) in [
        (
            "404 Not Found",
            &[][..],
            "error: the server answered 404 Not Found",
        ),
        (
            "503 Service Unavailable",
            &["--no-reconnect"],
            "error: the server answered 503 Service Unavailable",
        ),
        (
            "200 OK\r\ncontent-type: text/html",
            &[],
            "error: the server answered 200 OK with text/html, not an event stream",
        ),
        (
            "302 Found",
            &[],
            "error: the server answered 302 Found without a Location header",
        ),
    ] {
        let ended = ended(options, |server| server.accept().answer(head));
        assert_end(&ended, 1, last_line);
    }
}

#[test]
fn the_text_of_a_refusal_is_printed() {
    let ended = ended(&[], |server| {
        let answer = "HTTP/1.1 401 Unauthorized\r\ncontent-length: 13\r\n\r\nno\n\u{1b}such key\n";
        server.accept().send(answer);
    });
    let text = "error: the server answered 401 Unauthorized: no \\u{1b}such key";
    assert_end(&ended, 1, text);
}

#[test]
fn an_event_above_the_limits_is_1() {
    let ended = ended(&["-q"], |server| {
        let mut connection = server.accept_stream("data: ");
        let piece = "x".repeat(64 << 10);
        while connection.try_send(&piece) {}
        connection.left();
    });
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("limit"), "{ended:?}");
}

#[test]
fn no_connection_is_3_if_there_is_to_be_no_other() {
    let address = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let url = format!("http://{address}/");
    let refused = run(&["tail", "--no-reconnect", &url]);
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(
        refused.stderr.starts_with("error: cannot connect: "),
        "{refused:?}"
    );
    let cut = ended(&["--no-reconnect"], |server| {
        let mut connection = server.accept();
        connection.send(
            "HTTP/1.1 200 OK\r\n\
             content-type: text/event-stream\r\n\
             content-length: 99\r\n\r\n\
             data: a\n\n",
        );
    });
    assert_eq!((cut.code, &*cut.stdout), (Some(3), "a\n"), "{cut:?}");
    assert!(
        cut.stderr.contains("error: the connection was lost: "),
        "{cut:?}"
    );
    let idle = ended(&["--no-reconnect", "--idle-timeout", "0.5"], |server| {
        server.accept().left();
    });
    assert_eq!(idle.code, Some(3), "{idle:?}");
}

#[test]
fn retries_used_up_are_3() {
    let ended = ended(&["--max-retries", "1"], |server| {
        drop(server.accept_stream("retry: 1\n\n"));
        drop(server.accept_stream(""));
    });
    let last_line = "error: gave up after 2 failed attempts: the server ended the stream";
    assert_end(&ended, 3, last_line);
}

#[test]
fn a_timeout_is_0_unless_events_are_missing() {
    // A server that does not even answer.
    let in_time = ended(&["--timeout", "0.1"], |_| {});
    assert_end(&in_time, 0, "the time is over");
    let too_few = ended(&["--timeout", "0.1", "--max-events", "2"], |_| {});
    let last_line = "error: the time is over after 0 of 2 events";
    assert_end(&too_few, 4, last_line);
}

#[test]
fn a_stream_that_ends_with_too_few_events_is_4() {
    let ended = ended(&["--max-events", "2", "--no-reconnect"], |server| {
        drop(server.accept_stream("data: a\n\n"));
    });
    assert_end(
        &ended,
        4,
        "error: the server ended the stream after 1 of 2 events",
    );
}

#[cfg(unix)]
#[test]
fn ctrl_c_is_0() {
    let server = Server::start();
    let sse = Sse::start(&["tail", &server.url()]);
    let connection = server.accept_stream("data: a\n\n");
    assert_eq!(sse.line(), "a\n");
    sse.interrupt();
    let ended = sse.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    connection.left();
}

#[test]
fn the_exit_codes_are_in_the_help() {
    let help = run(&["tail", "--help"]);
    assert_eq!(help.code, Some(0));
    for code in 0..=4 {
        assert!(
            help.stdout.contains(&format!("\n  {code}  ")),
            "{code}: {}",
            help.stdout
        );
    }
}
