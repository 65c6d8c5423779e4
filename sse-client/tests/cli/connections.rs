//! Readers that leave, or do not read.

#![cfg(unix)]

use std::{
    io::{BufRead as _, BufReader, PipeReader},
    sync::mpsc::{Receiver, channel},
    thread,
};

use crate::{
    DEADLINE,
    process::{Sse, command},
    server::Server,
};

#[test]
fn a_reader_that_leaves_ends_it_quietly_also_when_nothing_comes() {
    for more in [0, 1_000] {
        let server = Server::start();
        let (reader, writer) = std::io::pipe().unwrap();
        let sse = Sse::spawn(command(&["tail", &server.url()]).stdout(writer));
        let mut connection = server.accept_stream("data: a\n\n");
        let line = one_line(reader).recv_timeout(DEADLINE).unwrap();
        assert_eq!(line, "a\n");
        for _ in 0..more {
            if !connection.try_send("data: b\n\n") {
                break;
            }
        }
        connection.left();
        let ended = sse.end();
        assert_eq!(ended.stderr, format!("connected to {}\n", server.url()));
        assert_eq!(ended.code, Some(0));
    }
}

#[test]
fn ctrl_c_ends_it_also_while_its_reader_does_not_read() {
    let server = Server::start();
    let (reader, writer) = std::io::pipe().unwrap();
    let sse = Sse::spawn(command(&["tail", &server.url()]).stdout(writer));
    let mut connection = server.accept_stream("");
    // More than a pipe and a socket hold: it has long been writing.
    let piece = format!("data: {}\n\n", "x".repeat(64 << 10));
    connection.fill(&piece);
    assert!(sse.note().starts_with("connected"));
    sse.interrupt();
    assert_eq!(sse.end().code, Some(0));
    drop(reader);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_1() {
    let server = Server::start();
    let full = std::fs::File::options().write(true).open("/dev/full");
    let sse = Sse::spawn(command(&["tail", "-q", &server.url()]).stdout(full.unwrap()));
    let _connection = server.accept_stream("data: a\n\n");
    let ended = sse.end();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let text = "error: cannot write to stdout: ";
    assert!(ended.stderr.starts_with(text), "{ended:?}");
}

/// Reads one line and leaves.
fn one_line(pipe: PipeReader) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut line = String::new();
        let result = BufReader::new(pipe).read_line(&mut line);
        // The pipe is closed before the test goes on.
        result.map(|_| sender.send(line))
    });
    receiver
}
