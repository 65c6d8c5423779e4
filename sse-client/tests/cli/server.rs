//! A server whose every byte is a test's.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use crate::DEADLINE;

/// The head of a response that is a stream; it ends with the connection.
pub(crate) const STREAM: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";

/// A connection that takes nothing for this long is full.
const STALLED: Duration = Duration::from_millis(500);

/// Accepts connections; a test takes one after the other.
pub(crate) struct Server {
    address: SocketAddr,
    connections: Receiver<TcpStream>,
}

/// A connection whose request has been read. Dropped, it is closed.
pub(crate) struct Connection {
    /// Head and body, as they came.
    pub(crate) request: String,
    stream: TcpStream,
}

impl Server {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, connections) = channel();
        // Ends with the first connection after the test.
        thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                if sender.send(stream).is_err() {
                    return;
                }
            }
        });
        Self {
            address,
            connections,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/events", self.address)
    }

    /// The next connection, with its request.
    pub(crate) fn accept(&self) -> Connection {
        let mut stream = self.connections.recv_timeout(DEADLINE).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let request = read_request(&mut stream);
        Connection { request, stream }
    }

    /// Nobody has come.
    pub(crate) fn is_unused(&self) {
        assert!(self.connections.try_recv().is_err());
    }

    /// Returns the next connection, as a stream that begins with a text.
    pub(crate) fn accept_stream(&self, text: &str) -> Connection {
        let mut connection = self.accept();
        connection.send(&format!("{STREAM}{text}"));
        connection
    }
}

impl Connection {
    pub(crate) fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).unwrap();
    }

    /// Sends a text, and returns `true` if the client is still there.
    pub(crate) fn try_send(&mut self, text: &str) -> bool {
        self.stream.write_all(text.as_bytes()).is_ok()
    }

    /// Sends until nobody reads any more.
    pub(crate) fn fill(&mut self, text: &str) {
        self.stream.set_write_timeout(Some(STALLED)).unwrap();
        while self.stream.write_all(text.as_bytes()).is_ok() {}
    }

    /// Answers with a status and no more than that.
    pub(crate) fn answer(mut self, head: &str) {
        self.send(&format!("HTTP/1.1 {head}\r\ncontent-length: 0\r\n\r\n"));
    }

    /// Waits until the client has left.
    pub(crate) fn left(mut self) {
        let mut rest = Vec::new();
        // A reset is another way to leave.
        if let Err(error) = self.stream.read_to_end(&mut rest) {
            let kind = error.kind();
            assert_eq!(kind, std::io::ErrorKind::ConnectionReset, "{error}");
        }
    }

    /// The value of a header of the request.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let (head, _) = self.request.split_once("\r\n\r\n")?;
        head.lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// The body of the request.
    pub(crate) fn body(&self) -> &str {
        self.request.split_once("\r\n\r\n").unwrap().1
    }
}

fn read_request(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer).unwrap();
        assert_ne!(count, 0, "the request ends early");
        request.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&request);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return text.into_owned();
            }
        }
    }
}
