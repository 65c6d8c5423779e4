//! The effect of each option of `sse tail`.

use std::fs;

use crate::{
    process::{Sse, command, run},
    server::{STREAM, Server},
};

#[test]
fn headers_go_into_every_request_as_often_as_they_are_given() {
    let server = Server::start();
    let _sse = Sse::start(&[
        "tail",
        "-H",
        "Authorization: Bearer a:b",
        "-H",
        "x-twice: 1",
        "-H",
        "X-Twice:2",
        &server.url(),
    ]);
    for text in ["retry: 1\n\n", ""] {
        let connection = server.accept_stream(text);
        assert_eq!(connection.header("authorization"), Some("Bearer a:b"));
        assert_eq!(connection.header("accept"), Some("text/event-stream"));
        let request = &connection.request;
        assert!(
            request.contains("x-twice: 1\r\nx-twice: 2\r\n"),
            "{request}"
        );
    }
}

#[test]
fn the_password_of_a_url_is_sent_and_not_shown() {
    let server = Server::start();
    let url = server.url().replace("http://", "http://user:secret@");
    let sse = Sse::start(&["tail", "--no-reconnect", &url]);
    let connection = server.accept_stream("");
    assert_eq!(
        connection.header("authorization"),
        Some("Basic dXNlcjpzZWNyZXQ=")
    );
    drop(connection);
    let ended = sse.end();
    assert!(!ended.stderr.contains("secret"), "{ended:?}");
}

#[test]
fn data_is_a_text_a_file_or_stdin_and_makes_it_a_post() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(&file, "{\n}\n").unwrap();
    let at_file = format!("@{}", file.path().display());
    let server = Server::start();
    for (data, stdin, expected) in [
        ("a=b", "", "a=b"),
        ("-5", "", "-5"),
        (&*at_file, "", "{\n}\n"),
        ("@-", "from stdin\n", "from stdin\n"),
    ] {
        let sse = Sse::start_with(&["tail", "-d", data, &server.url()], stdin.as_bytes());
        let mut connection = server.accept();
        assert!(connection.request.starts_with("POST /events "), "{data}");
        assert_eq!(connection.body(), expected);
        let form = "application/x-www-form-urlencoded";
        assert_eq!(connection.header("content-type"), Some(form));
        connection.send(STREAM);
        drop(connection);
        // Not sent again.
        assert_eq!(sse.end().code, Some(0), "{data}");
    }
}

#[test]
fn the_method_and_the_type_of_a_body_can_be_told() {
    let server = Server::start();
    let _sse = Sse::start(&[
        "tail",
        "-X",
        "PUT",
        "-d",
        "{}",
        "-H",
        "content-type: application/json",
        "--reconnect",
        &server.url(),
    ]);
    for text in ["retry: 1\n\n", ""] {
        let connection = server.accept_stream(text);
        assert!(connection.request.starts_with("PUT /events "));
        assert_eq!(connection.header("content-type"), Some("application/json"));
        assert_eq!(connection.body(), "{}");
    }
}

#[test]
fn only_wanted_types_are_printed_and_count() {
    let server = Server::start();
    let arguments = ["tail", "--event", "a", "--event", "b", "--max-events", "2"];
    let sse = Sse::start(&[&arguments[..], &[&server.url()]].concat());
    let _connection = server.accept_stream(
        "data: 1\n\n\
         event: a\ndata: 2\n\n\
         event: c\ndata: 3\n\n\
         event: b\ndata: 4\n\n\
         event: a\ndata: 5\n\n",
    );
    let ended = sse.end();
    assert_eq!(ended.stdout, "a\n  2\nb\n  4\n");
    assert_eq!(ended.code, Some(0));
}

#[test]
fn it_starts_after_the_last_event_id_and_continues_after_what_it_has_seen() {
    let server = Server::start();
    let _sse = Sse::start(&["tail", "--last-event-id", "ü6", &server.url()]);
    let connection = server.accept_stream("retry: 1\nid: 7\ndata: a\n\n");
    assert_eq!(connection.header("last-event-id"), Some("ü6"));
    drop(connection);
    let connection = server.accept();
    assert_eq!(connection.header("last-event-id"), Some("7"));
}

#[test]
fn a_silent_connection_is_made_again() {
    let server = Server::start();
    let _sse = Sse::start(&["tail", "--idle-timeout", "0.5", &server.url()]);
    let mut silent = server.accept();
    // On a slow machine nobody may wait for it any more.
    silent.try_send(&format!("{STREAM}retry: 1\n\n"));
    let _next = server.accept();
    silent.left();
}

#[test]
fn a_wrong_command_line_is_told_before_anything_is_sent() {
    let server = Server::start();
    for arguments in [
        &["tail"][..],
        &["tail", "ftp://example.org/"],
        &["tail", "http://"],
        &["tail", &server.url(), "-H", "no colon"],
        &["tail", &server.url(), "-H", "no name: a"],
        &["tail", &server.url(), "-H", "a: \u{1}"],
        &["tail", &server.url(), "-X", "NO METHOD"],
        &["tail", &server.url(), "-d", "@does/not/exist"],
        &["tail", &server.url(), "--last-event-id", "a\nb"],
        &["tail", &server.url(), "--max-events", "0"],
        &["tail", &server.url(), "--timeout", "-1"],
        &["tail", &server.url(), "--no-reconnect", "--reconnect"],
        &["publish", "http://"],
        &["bench", &server.url(), "--clients", "0"],
        &["bench", &server.url(), "--publish", "0"],
        &["bench", &server.url(), "--publish-url", &server.url()],
        &["unknown"],
    ] {
        let ended = run(arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}: {ended:?}");
        assert!(
            ended.stderr.starts_with("error: "),
            "{arguments:?}: {ended:?}"
        );
        assert_eq!(ended.stdout, "");
    }
    server.is_unused();
}

#[test]
fn without_ca_certificates_http_works_and_https_says_why() {
    let server = Server::start();
    let start = |arguments: &[&str]| {
        let mut command = command(arguments);
        command.env("SSL_CERT_FILE", "/dev/null");
        command.env("SSL_CERT_DIR", "/nonexistent");
        Sse::spawn(&mut command)
    };
    let sse = start(&["tail", "--max-events", "1", &server.url()]);
    server.accept_stream("data: a\n\n");
    let ended = sse.end();
    assert_eq!((ended.code, &*ended.stdout), (Some(0), "a\n"), "{ended:?}");
    let ended = start(&["tail", "https://127.0.0.1:1/"]).end();
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(
        ended.stderr.contains("HTTPS is not possible here"),
        "{ended:?}"
    );
    assert!(ended.stderr.contains("certificates"), "{ended:?}");
}

#[test]
fn a_larger_event_can_be_let_through() {
    let server = Server::start();
    let data = "x".repeat(100);
    let sse = Sse::start(&["tail", "-q", "--max-event-bytes", "99", &server.url()]);
    server.accept_stream(&format!("data: {data}\n\n"));
    let ended = sse.end();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended
            .stderr
            .contains("limit of 99 bytes; --max-event-bytes"),
        "{ended:?}"
    );
    let arguments = [
        "tail",
        "--max-events",
        "1",
        "--max-event-bytes",
        "100",
        &server.url(),
    ];
    let sse = Sse::start(&arguments);
    server.accept_stream(&format!("data: {data}\n\n"));
    assert_eq!(sse.end().stdout, format!("{data}\n"));
}

#[test]
fn a_certificate_file_that_is_none_is_2() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let url = "https://127.0.0.1:1/";
    let missing = run(&["tail", "--cacert", "/nonexistent", url]);
    assert_eq!(missing.code, Some(2), "{missing:?}");
    fs::write(
        file.path(),
        "-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n",
    )
    .unwrap();
    let bad = run(&["tail", "--cacert", file.path().to_str().unwrap(), url]);
    assert_eq!(bad.code, Some(2), "{bad:?}");
}

#[test]
fn a_server_that_does_not_answer_is_noted() {
    let server = Server::start();
    let sse = Sse::start(&["tail", &server.url()]);
    let _connection = server.accept();
    assert_eq!(sse.note(), "connecting; there is no answer yet\n");
}
