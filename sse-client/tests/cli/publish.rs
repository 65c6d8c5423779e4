//! `sse publish`.

use crate::{
    app::App,
    process::{Ended, Sse, command, run},
    server::Server,
};

#[test]
fn what_is_published_is_received_and_its_id_printed() {
    let app = App::start();
    let events = app.url("/events?topic=a&topic=b");
    let tail = Sse::start(&["tail", "--json", &events]);
    let shown = app.url("/events");
    assert_eq!(tail.note(), format!("connected to {shown}\n"), "no query");

    let root = app.url("");
    let options = [
        "--topic", "a", "--topic", "b", "--event", "price", "--id", "ä 7",
    ];
    let published = run(&[&["publish", &root, "hello & good-bye"], &options[..]].concat());
    assert_eq!(published, done("ä 7\n"));
    let line = "{\"id\":\"ä 7\",\"event\":\"price\",\"data\":\"hello & good-bye\"}\n";
    assert_eq!(tail.line(), line);

    let published = run(&["publish", &app.url("/publish?topic=b"), "again"]);
    assert_eq!((published.code, &*published.stderr), (Some(0), ""));
    let id = published.stdout.trim_end();
    assert!(!id.is_empty(), "{published:?}");
    let line = format!("{{\"id\":\"{id}\",\"event\":\"message\",\"data\":\"again\"}}\n");
    assert_eq!(tail.line(), line);
}

#[test]
fn data_may_come_from_stdin_without_its_last_line_break() {
    let server = Server::start();
    for (arguments, stdin, expected) in [
        (&[][..], "a\nb\n", "a\nb"),
        (&["-"], "a\r\n", "a"),
        (&["-"], "a\n\n", "a\n"),
        (&[], "", ""),
        (&["--", "-5"], "unread", "-5"),
    ] {
        let url = server.url();
        let arguments = [&["publish", &url, "-H", "x-key: k"], arguments].concat();
        let sse = Sse::start_with(&arguments, stdin.as_bytes());
        let mut connection = server.accept();
        assert!(connection.request.starts_with("POST /events "), "{stdin}");
        assert_eq!(connection.body(), expected);
        assert_eq!(connection.header("x-key"), Some("k"));
        connection.send("HTTP/1.1 202 Accepted\r\ncontent-length: 11\r\n\r\n{\"id\":null}");
        assert_eq!(sse.end(), done(""));
    }
}

#[test]
fn stdin_that_is_no_text_is_not_published() {
    let server = Server::start();
    let ended = Sse::start_with(&["publish", &server.url()], b"\xff").end();
    assert_eq!(ended.code, Some(2));
    let text = "error: cannot read the data from stdin: ";
    assert!(ended.stderr.starts_with(text), "{ended:?}");
    server.is_unused();
}

#[test]
fn why_the_server_refuses_is_told() {
    let app = App::start();
    let refused = run(&["publish", &app.url(""), "a", "--id", "b\nc"]);
    assert_eq!(
        refused,
        failed(
            1,
            "the server answered 400 Bad Request: no id has line breaks\\u{1b}[m"
        )
    );
    let not_found = run(&["publish", &app.url("/nowhere"), "a"]);
    assert_eq!(not_found, failed(1, "the server answered 404 Not Found"));
}

#[test]
fn an_answer_without_an_id_is_not_taken_for_success() {
    let server = Server::start();
    for (answer, expected) in [
        (
            "200 OK\r\ncontent-length: 6\r\n\r\n<html>",
            "the server answered 200 OK without an id: is this its publish endpoint?",
        ),
        (
            "308 Permanent Redirect\r\nlocation: https://a/b\r\ncontent-length: 0\r\n\r\n",
            "the server answered 308 Permanent Redirect: publish to https://a/b",
        ),
        (
            "500 Internal Server Error\r\ncontent-length: 8\r\n\r\nouch\nat ",
            "the server answered 500 Internal Server Error: ouch",
        ),
    ] {
        let sse = Sse::start(&["publish", &server.url(), "a"]);
        server.accept().send(&format!("HTTP/1.1 {answer}"));
        assert_eq!(sse.end(), failed(1, expected));
    }
}

#[test]
fn an_id_is_printed_without_control_characters() {
    let server = Server::start();
    let sse = Sse::start(&["publish", &server.url(), "a"]);
    let answer = "{\"id\":\"\\u001b[2J\"}";
    let length = answer.len();
    server.accept().send(&format!(
        "HTTP/1.1 202 Accepted\r\ncontent-length: {length}\r\n\r\n{answer}"
    ));
    assert_eq!(sse.end(), done("\\u{1b}[2J\n"));
}

#[test]
fn nobody_has_to_read_the_id() {
    let app = App::start();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let ended = Sse::spawn(command(&["publish", &app.url(""), "a"]).stdout(writer)).end();
    assert_eq!(ended, done(""));
}

#[test]
fn no_server_is_3() {
    let address = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let ended = run(&["publish", &address.to_string(), "a"]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.stderr.starts_with("error: "), "{ended:?}");
}

fn done(stdout: &str) -> Ended {
    Ended {
        code: Some(0),
        stdout: stdout.to_owned(),
        stderr: String::new(),
    }
}

fn failed(code: i32, error: &str) -> Ended {
    Ended {
        code: Some(code),
        stdout: String::new(),
        stderr: format!("error: {error}\n"),
    }
}
