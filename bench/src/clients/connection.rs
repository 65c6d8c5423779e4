//! One client: skips the head of the response, counts and times messages, notices the end.

use std::io::{ErrorKind, Read as _};

use anyhow::{Result, bail};
use mio::net::TcpStream;

use crate::{
    clock::{self, Latencies},
    payload,
};

/// The proper end of a chunked body.
const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// One stream.
pub(super) struct Connection {
    pub(super) socket: TcpStream,
    pub(super) state: State,
    pub(super) messages: u64,
    /// The last bytes that came, as many as the last chunk has.
    tail: Vec<u8>,
}

#[derive(PartialEq, Eq)]
pub(super) enum State {
    /// The request has not been sent.
    Connecting,
    /// The part of the response's head that has come.
    Head(Vec<u8>),
    Body,
    Closed,
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

    /// Returns `true` if the last chunk has come; the connection itself may stay open.
    pub(super) fn ended_properly(&self) -> bool {
        self.tail == LAST_CHUNK
    }

    /// Reads all there is; returns the time at which the last byte came, 0 if there was none.
    pub(super) fn read(&mut self, buffer: &mut [u8], latencies: &mut Latencies) -> Result<u64> {
        let mut last_byte = 0;
        loop {
            match self.socket.read(buffer) {
                Ok(0) => break,
                Ok(length) => {
                    last_byte = clock::now();
                    self.take(&buffer[..length], last_byte, latencies)?;
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

    fn take(&mut self, bytes: &[u8], now: u64, latencies: &mut Latencies) -> Result<()> {
        let from = bytes.len().saturating_sub(LAST_CHUNK.len());
        self.tail.extend_from_slice(&bytes[from..]);
        let surplus = self.tail.len().saturating_sub(LAST_CHUNK.len());
        self.tail.drain(..surplus);
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
        self.messages += messages;
        if messages > 0 {
            record(latencies, now, messages, payload::times(body));
        }
        Ok(())
    }
}

/// Counts half of the messages of a read as late as its first, half as its last.
///
/// Looking at each would cost the reader more than reading it, and the last alone would flatter
/// servers that send many in one piece.
fn record(latencies: &mut Latencies, now: u64, messages: u64, times: [Option<u64>; 2]) {
    let weights = [messages.div_ceil(2), messages / 2];
    for (time, weight) in times.into_iter().zip(weights) {
        if let Some(time) = time {
            latencies.saturating_record_n(now.saturating_sub(time), weight);
        }
    }
}
