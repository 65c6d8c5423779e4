//! Opening many streams at once.

use std::{
    io::{ErrorKind, Write as _},
    net::{SocketAddr, TcpStream as StdStream},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use mio::{Events, Interest, Poll, Token, net::TcpStream};
use socket2::{Domain, Socket, Type};

use super::{
    BUFFER, Clients,
    connection::{Connection, State},
};
use crate::{clock, latencies::Latencies};

/// Connections that are being opened at a time: fewer than may wait to be accepted, so that none is turned away.
pub(crate) const IN_FLIGHT: usize = 100;

/// Nothing for so long while connecting means that the server is stuck.
const STUCK: u64 = 10_000_000_000;

/// The receive buffer of a client that does not read, in bytes.
const SILENT_BUFFER: usize = 4_096;

/// Who connects.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connect {
    pub(crate) count: usize,
    /// So many of them read the head of the response and then nothing any more.
    pub(crate) silent: usize,
    pub(crate) last_event_id: Option<String>,
}

impl Connect {
    /// So many clients that all read.
    pub(crate) fn reading(count: usize) -> Self {
        Self {
            count,
            ..Self::default()
        }
    }

    /// Opens the streams; all have got the head of their response when it returns.
    pub(crate) fn to(&self, address: SocketAddr) -> Result<Clients> {
        let mut clients = Clients {
            poll: Poll::new()?,
            events: Events::with_capacity(1_024),
            buffer: vec![0; BUFFER].into_boxed_slice(),
            connections: Vec::with_capacity(self.count),
            silent: self.silent,
            last_byte: 0,
            latencies: Latencies::new()?,
        };
        let request = self.request();
        let mut open = 0;
        let mut last_progress = clock::now();
        while open < self.count {
            while clients.connections.len() < self.count.min(open + IN_FLIGHT) {
                clients.start(self, address)?;
            }
            let before = open;
            clients.wait(Duration::from_millis(50))?;
            clients.advance(&request, &mut open)?;
            if open > before {
                last_progress = clock::now();
            } else if clock::now() - last_progress > STUCK {
                bail!("{open} of {} clients connected, then none", self.count);
            }
        }
        Ok(clients)
    }

    fn request(&self) -> Vec<u8> {
        let id = self.last_event_id.as_deref();
        let id = id.map_or_else(String::new, |id| format!("last-event-id: {id}\r\n"));
        format!("GET /events HTTP/1.1\r\nhost: bench\r\naccept: text/event-stream\r\n{id}\r\n")
            .into()
    }
}

impl Clients {
    fn start(&mut self, connect: &Connect, address: SocketAddr) -> Result<()> {
        let index = self.connections.len();
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)
            .context("cannot open a socket")?;
        if index < connect.silent {
            socket.set_recv_buffer_size(SILENT_BUFFER)?;
        }
        socket.set_tcp_nodelay(true)?;
        socket.set_nonblocking(true)?;
        match socket.connect(&address.into()) {
            Err(error) if !is_under_way(&error) => return Err(error).context("cannot connect"),
            _ => {}
        }
        let mut socket = TcpStream::from_std(StdStream::from(socket));
        let interest = Interest::READABLE | Interest::WRITABLE;
        let registry = self.poll.registry();
        registry.register(&mut socket, Token(index), interest)?;
        self.connections.push(Connection::new(socket));
        Ok(())
    }

    /// Sends requests and reads heads, wherever it can.
    fn advance(&mut self, request: &[u8], open: &mut usize) -> Result<()> {
        for event in &self.events {
            let index = event.token().0;
            let connection = &mut self.connections[index];
            if connection.state == State::Connecting && event.is_writable() {
                if let Some(error) = connection.socket.take_error()? {
                    return Err(error).context("cannot connect");
                }
                connection.socket.write_all(request)?;
                connection.state = State::Head(Vec::new());
            }
            if matches!(connection.state, State::Head(_)) && event.is_readable() {
                let read = connection.read(&mut self.buffer, |_, _| ())?;
                self.last_byte = self.last_byte.max(read);
                match connection.state {
                    State::Body => *open += 1,
                    State::Closed => bail!("the server closed a connection at once"),
                    State::Connecting | State::Head(_) => continue,
                }
                if index < self.silent {
                    self.poll.registry().deregister(&mut connection.socket)?;
                }
            } else if connection.state == State::Body && event.is_readable() {
                connection.read(&mut self.buffer, |_, _| ())?;
            }
        }
        Ok(())
    }
}

/// A connection that does not wait says so with one of these.
fn is_under_way(error: &std::io::Error) -> bool {
    let in_progress = rustix::io::Errno::INPROGRESS.raw_os_error();
    error.kind() == ErrorKind::WouldBlock || error.raw_os_error() == Some(in_progress)
}
