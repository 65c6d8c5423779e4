//! One client: skips the head of the response, counts messages, notices the end.

use std::io::{ErrorKind, Read as _};

use anyhow::{Result, bail};
use mio::net::TcpStream;

use crate::{clock, payload};

/// What ends a chunked body properly.
const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// One stream.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) socket: TcpStream,
    pub(super) state: State,
    pub(super) messages: u64,
    /// The last bytes that came, as many as are in the last chunk.
    tail: Vec<u8>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum State {
    /// The request is not sent.
    Connecting,
    /// What has come of the response's head.
    Head(Vec<u8>),
    Body,
    Closed,
}

/// What one read brought.
#[derive(Debug)]
pub(super) struct Took {
    pub(super) messages: u64,
    /// When the first and the last of them were published.
    pub(super) first: Option<u64>,
    pub(super) last: Option<u64>,
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

    /// The last chunk has come; the connection itself may stay open.
    pub(super) fn ended_properly(&self) -> bool {
        self.tail == LAST_CHUNK
    }

    /// Reads all there is; says when the last byte came, 0 if there was none.
    pub(super) fn read(
        &mut self,
        buffer: &mut [u8],
        mut on_messages: impl FnMut(u64, &Took),
    ) -> Result<u64> {
        let mut last_byte = 0;
        loop {
            match self.socket.read(buffer) {
                Ok(0) => {
                    self.state = State::Closed;
                    return Ok(last_byte);
                }
                Ok(length) => {
                    last_byte = clock::now();
                    self.take(&buffer[..length], last_byte, &mut on_messages)?;
                    // Less than there was room for is all there was; more makes another event.
                    if length < buffer.len() {
                        return Ok(last_byte);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(last_byte),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::ConnectionReset => {
                    self.state = State::Closed;
                    return Ok(last_byte);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn take(
        &mut self,
        bytes: &[u8],
        now: u64,
        on_messages: &mut impl FnMut(u64, &Took),
    ) -> Result<()> {
        self.keep_tail(bytes);
        let mut body = bytes;
        if let State::Head(head) = &mut self.state {
            let before = head.len();
            head.extend_from_slice(bytes);
            let Some(end) = memchr::memmem::find(head, b"\r\n\r\n") else {
                return Ok(());
            };
            if !head.starts_with(b"HTTP/1.1 200 ") {
                bail!("unexpected answer: {}", String::from_utf8_lossy(head));
            }
            body = &bytes[end + 4 - before..];
            self.state = State::Body;
        }
        let messages = payload::count(body);
        if messages > 0 {
            self.messages += messages;
            let (first, last) = payload::times(body);
            let took = Took {
                messages,
                first,
                last,
            };
            on_messages(now, &took);
        }
        Ok(())
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
