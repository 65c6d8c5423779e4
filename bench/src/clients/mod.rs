//! The readers: thousands of clients on one thread, which count and time the messages they get.

mod connection;

use std::{
    io::{self, ErrorKind, Write as _},
    net::{SocketAddr, TcpStream as StdStream},
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use mio::{Events, Interest, Poll, Token, net::TcpStream};
use socket2::{Domain, Socket, Type};

use self::connection::{Connection, State};
use crate::{
    clock::{self, Latencies},
    process::Process,
    server::Published,
};

/// Connections that are opened at a time: fewer than may wait to be accepted, so that none is
/// turned away.
pub(crate) const IN_FLIGHT: usize = 100;

/// Large enough that a read takes all there is, so that readers are never what is measured.
const BUFFER: usize = 256 << 10;

/// The receive buffer of a client that does not read, in bytes.
const SILENT_BUFFER: usize = 4_096;

/// The nanoseconds without progress while connecting after which the server counts as stuck.
const CONNECT_STUCK: u64 = 10_000_000_000;

/// The nanoseconds without a byte for anyone, while the server publishes, after which it does.
const PUBLISH_STUCK: u64 = 30_000_000_000;

/// The nanoseconds without a byte for anyone, after the last message was published, after which no
/// more will come.
const SILENCE: u64 = 1_500_000_000;

/// The clients that are to connect.
pub(crate) struct Connect {
    pub(crate) count: usize,
    /// The number of them that read the head of the response and nothing after it.
    pub(crate) silent: usize,
    pub(crate) last_event_id: Option<String>,
}

/// Clients, each with an open stream.
pub(crate) struct Clients {
    poll: Poll,
    events: Events,
    buffer: Box<[u8]>,
    connections: Vec<Connection>,
    /// The number of the first ones, which do not read after the head of their response.
    silent: usize,
    /// The time at which the last byte was read, on [`clock::now`].
    pub(crate) last_byte: u64,
    /// The times from publishing to reading.
    pub(crate) latencies: Latencies,
}

impl Connect {
    /// Describes this number of clients, all of which read.
    pub(crate) fn reading(count: usize) -> Self {
        Self {
            count,
            silent: 0,
            last_event_id: None,
        }
    }

    /// Opens the streams; returns when all have the head of their response.
    pub(crate) fn to(&self, address: SocketAddr) -> Result<Clients> {
        let mut clients = Clients {
            poll: Poll::new()?,
            events: Events::with_capacity(1_024),
            buffer: vec![0; BUFFER].into_boxed_slice(),
            connections: Vec::with_capacity(self.count),
            silent: self.silent,
            last_byte: 0,
            latencies: clock::latencies()?,
        };
        let id = self.last_event_id.as_ref();
        let id = id.map_or_else(String::new, |id| format!("last-event-id: {id}\r\n"));
        let request =
            format!("GET /events HTTP/1.1\r\nhost: bench\r\naccept: text/event-stream\r\n{id}\r\n");
        let mut open = 0;
        let mut last_progress = clock::now();
        while open < self.count {
            while clients.connections.len() < self.count.min(open + IN_FLIGHT) {
                clients.start(address)?;
            }
            clients.wait(Duration::from_millis(50))?;
            let opened = clients.advance(request.as_bytes())?;
            open += opened;
            if opened > 0 {
                last_progress = clock::now();
            } else if clock::now() - last_progress > CONNECT_STUCK {
                bail!("{open} of {} clients connected, then none", self.count);
            }
        }
        Ok(clients)
    }
}

impl Clients {
    fn start(&mut self, address: SocketAddr) -> Result<()> {
        let index = self.connections.len();
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)
            .context("cannot open a socket")?;
        if index < self.silent {
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

    /// Sends requests and reads heads, wherever it can; returns the number of streams opened by it.
    fn advance(&mut self, request: &[u8]) -> Result<usize> {
        let mut opened = 0;
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
            if connection.state == State::Connecting || !event.is_readable() {
                continue;
            }
            let was_open = connection.state == State::Body;
            let read = connection.read(&mut self.buffer, &mut self.latencies)?;
            if was_open {
                continue;
            }
            self.last_byte = self.last_byte.max(read);
            match connection.state {
                State::Body => opened += 1,
                State::Closed => bail!("the server closed a connection at once"),
                State::Connecting | State::Head(_) => continue,
            }
            if index < self.silent {
                self.poll.registry().deregister(&mut connection.socket)?;
            }
        }
        Ok(opened)
    }

    /// Returns the numbers of messages of the clients that read.
    pub(crate) fn messages(&self) -> impl ExactSizeIterator<Item = u64> {
        let reading = self.connections[self.silent..].iter();
        reading.map(|connection| connection.messages)
    }

    /// Fails unless each client has at least and at most these numbers of messages; a client with
    /// more than were published has had some twice.
    pub(crate) fn check(&self, least: u64, most: u64) -> Result<()> {
        for count in self.messages() {
            let is_right = (least..=most).contains(&count);
            ensure!(
                is_right,
                "a client has {count} messages instead of {least} to {most}"
            );
        }
        Ok(())
    }

    /// Counts the streams that the server has ended with a proper last chunk.
    pub(crate) fn ended_properly(&self) -> usize {
        let connections = self.connections.iter();
        connections.filter(|it| it.ended_properly()).count()
    }

    /// Reads until every client has `target` messages, or until no more will come: a while after
    /// the server has published all.
    pub(crate) fn drain(&mut self, server: &Process, target: u64) -> Result<Published> {
        let mut published = None;
        self.read_until(target, || {
            if published.is_none() {
                published = server.published()?;
            }
            Ok(published.is_some())
        })?;
        match published {
            Some(published) => Ok(published),
            None => server.wait_published(Duration::from_secs(10)),
        }
    }

    /// Reads as [`drain`](Self::drain) does; `is_published` returns `true` once the server has
    /// published all.
    pub(crate) fn read_until(
        &mut self,
        target: u64,
        mut is_published: impl FnMut() -> Result<bool>,
    ) -> Result<()> {
        let begin = clock::now();
        let mut missing = self.messages().filter(|count| *count < target).count();
        let mut done = false;
        while missing > 0 {
            self.read_some(Duration::from_millis(50), |before, after| {
                missing -= usize::from(before < target && after >= target);
            })?;
            done = done || is_published()?;
            let silence = clock::now() - self.last_byte.max(begin);
            if done && silence > SILENCE {
                break;
            }
            if silence > PUBLISH_STUCK {
                bail!("nothing came for 30 s, although the server is not done");
            }
        }
        Ok(())
    }

    /// Reads everything that comes within this time.
    pub(crate) fn read_for(&mut self, time: Duration) -> Result<()> {
        let end = clock::now() + u64::try_from(time.as_nanos())?;
        while clock::now() < end {
            self.read_some(Duration::from_millis(5), |_, _| ())?;
        }
        Ok(())
    }

    /// Waits for something to read and reads it; calls `on_count` with the number of messages that
    /// a client had before and has now.
    fn read_some(&mut self, timeout: Duration, mut on_count: impl FnMut(u64, u64)) -> Result<()> {
        self.wait(timeout)?;
        for event in self.events.iter().filter(|event| event.is_readable()) {
            let connection = &mut self.connections[event.token().0];
            let before = connection.messages;
            let read = connection.read(&mut self.buffer, &mut self.latencies)?;
            self.last_byte = self.last_byte.max(read);
            if connection.messages != before {
                on_count(before, connection.messages);
            }
        }
        Ok(())
    }

    fn wait(&mut self, timeout: Duration) -> Result<()> {
        match self.poll.poll(&mut self.events, Some(timeout)) {
            Err(error) if error.kind() != ErrorKind::Interrupted => {
                Err(error).context("cannot wait for sockets")
            }
            _ => Ok(()),
        }
    }
}

/// Returns `true` for the errors with which a socket that does not block says that it is
/// connecting.
fn is_under_way(error: &io::Error) -> bool {
    let in_progress = rustix::io::Errno::INPROGRESS.raw_os_error();
    error.kind() == ErrorKind::WouldBlock || error.raw_os_error() == Some(in_progress)
}
