//! One client: skips the head of the response, counts messages, notices the end.

use std::io::{ErrorKind, Read as _};

use anyhow::{Result, bail};
use mio::net::TcpStream;

use crate::{clock, payload};

/// The proper end of a chunked body.
const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// One stream.
pub(super) struct Connection {
    pub(super) socket: TcpStream,
    pub(super) state: State,
    pub(super) messages: u64,
    /// The last bytes that came, as many as are in the last chunk.
    tail: Vec<u8>,
}

#[derive(PartialEq, Eq)]
pub(super) enum State {
    /// The request is not sent.
    Connecting,
    /// The part of the response's head that has come.
    Head(Vec<u8>),
    Body,
    Closed,
}

/// The messages of one read.
pub(super) struct Took {
    pub(super) messages: u64,
    /// The times at which the first and the last of them were published.
    pub(super) times: [Option<u64>; 2],
}

impl Connection {
    pub(super) fn new(socket: TcpStream) -> Self {
        Self {
            socket,
            state: State::Connecting,
            messages: 0,
            tail: Vec::new(),
        }
    }

    /// Tells whether the last chunk has come; the connection itself may stay open.
    pub(super) fn ended_properly(&self) -> bool {
        self.tail == LAST_CHUNK
    }

    /// Reads all there is; returns when the last byte came, 0 if there was none.
    pub(super) fn read(
        &mut self,
        buffer: &mut [u8],
        mut on_messages: impl FnMut(u64, &Took),
    ) -> Result<u64> {
        let mut last_byte = 0;
        loop {
            match self.socket.read(buffer) {
                Ok(0) => break,
                Ok(length) => {
                    last_byte = clock::now();
                    if let Some(took) = self.take(&buffer[..length])? {
                        on_messages(last_byte, &took);
                    }
                    // Less than there was room for is all there was; more makes another event.
                    if length < buffer.len() {
                        return Ok(last_byte);
                    }
                }
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => return Ok(last_byte),
                    ErrorKind::Interrupted => {}
                    ErrorKind::ConnectionReset => break,
                    _ => return Err(error.into()),
                },
            }
        }
        self.state = State::Closed;
        Ok(last_byte)
    }

    fn take(&mut self, bytes: &[u8]) -> Result<Option<Took>> {
        self.keep_tail(bytes);
        let mut body = bytes;
        if let State::Head(head) = &mut self.state {
            let before = head.len();
            head.extend_from_slice(bytes);
            let Some(end) = memchr::memmem::find(head, b"\r\n\r\n") else {
                return Ok(None);
            };
            if !head.starts_with(b"HTTP/1.1 200 ") {
                bail!("unexpected answer: {}", String::from_utf8_lossy(head));
            }
            body = &bytes[end + 4 - before..];
            self.state = State::Body;
        }
        let messages = payload::count(body);
        self.messages += messages;
        let took = || Took {
            messages,
            times: payload::times(body),
        };
        Ok((messages > 0).then(took))
    }

    fn keep_tail(&mut self, bytes: &[u8]) {
        if bytes.len() >= LAST_CHUNK.len() {
            self.tail.clear();
        }
        let from = bytes.len().saturating_sub(LAST_CHUNK.len());
        self.tail.extend_from_slice(&bytes[from..]);
        let surplus = self.tail.len().saturating_sub(LAST_CHUNK.len());
        self.tail.drain(..surplus);
    }
}
