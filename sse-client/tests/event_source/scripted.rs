//! A server that follows scripts byte by byte and records its requests.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Instant,
};

use sse_conformance::in_time;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc},
    task::JoinHandle,
};

/// The head of an event stream in chunks.
pub(crate) const HEAD: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

/// The last chunk: the proper end of a stream.
const LAST: &str = "0\r\n\r\n";

/// The answer to one request. Unless it ends the connection, another request may follow on it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Script(Vec<Step>);

#[derive(Clone, Debug)]
enum Step {
    Send(Vec<u8>),
    Flood(Vec<u8>, usize),
    Gate,
    Cut,
    Reset,
    Hold,
}

impl Script {
    /// The beginning of an event stream.
    pub(crate) fn stream() -> Self {
        Self::default().send(HEAD)
    }

    /// A stream of one chunk that ends properly.
    pub(crate) fn events(body: impl AsRef<[u8]>) -> Self {
        Self::stream().chunk(body).send(LAST)
    }

    /// A stream that ends properly, and whose pieces are chunks: each therefore arrives as a whole.
    pub(crate) fn chunks<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let stream = pieces.into_iter().fold(Self::stream(), Self::chunk);
        stream.send(LAST)
    }

    /// An answer without a body.
    pub(crate) fn status(status: &str, headers: &[&str]) -> Self {
        Self::whole(status, headers, "")
    }

    /// An answer with a body of known length.
    pub(crate) fn whole(status: &str, headers: &[&str], body: &str) -> Self {
        let status = format!("HTTP/1.1 {status}");
        let length = format!("Content-Length: {}", body.len());
        let head = [&[&*status], headers, &[&*length]].concat().join("\r\n");
        Self::default().send(format!("{head}\r\n\r\n{body}"))
    }

    /// The answer that asks clients to stay away. Every request gets it when there are no more
    /// scripts.
    pub(crate) fn no_content() -> Self {
        Self::default().send("HTTP/1.1 204 No Content\r\n\r\n")
    }

    /// Anything, however malformed.
    pub(crate) fn send(self, bytes: impl AsRef<[u8]>) -> Self {
        self.step(Step::Send(bytes.as_ref().to_vec()))
    }

    /// A chunk of the body.
    pub(crate) fn chunk(self, bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref();
        if bytes.is_empty() {
            // It would be the last chunk.
            return self;
        }
        let head = format!("{:x}\r\n", bytes.len());
        self.send([head.as_bytes(), bytes, b"\r\n"].concat())
    }

    /// The last chunk.
    pub(crate) fn end(self) -> Self {
        self.send(LAST)
    }

    /// The same bytes a number of times, or until the client leaves.
    pub(crate) fn flood(self, bytes: impl AsRef<[u8]>, times: usize) -> Self {
        self.step(Step::Flood(bytes.as_ref().to_vec(), times))
    }

    /// Goes on after [`Server::go`].
    pub(crate) fn gate(self) -> Self {
        self.step(Step::Gate)
    }

    /// Closes the connection.
    pub(crate) fn cut(self) -> Self {
        self.step(Step::Cut)
    }

    /// Resets the connection.
    pub(crate) fn reset(self) -> Self {
        self.step(Step::Reset)
    }

    /// Sends nothing more and keeps the connection until the client leaves, which [`Server::gone`]
    /// waits for.
    pub(crate) fn hold(self) -> Self {
        self.step(Step::Hold)
    }

    fn step(mut self, step: Step) -> Self {
        self.0.push(step);
        self
    }
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The number of its connection, from 0.
    pub(crate) connection: usize,
    pub(crate) method: String,
    pub(crate) path: String,
    /// Names in lower case, values without the spaces around them.
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
    pub(crate) at: Instant,
}

impl Request {
    /// The value of a header, and `None` if there is none; fails if there are several.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(is, _)| is == name);
        let value = values.next();
        assert!(values.next().is_none(), "one {name} in {:?}", self.headers);
        value.map(|(_, value)| str::from_utf8(value).unwrap())
    }

    pub(crate) fn last_event_id(&self) -> Option<&str> {
        self.header("last-event-id")
    }
}

/// The server; stops when it is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    arrived: mpsc::UnboundedReceiver<Request>,
    gone: mpsc::UnboundedReceiver<()>,
    task: JoinHandle<()>,
}

struct Shared {
    scripts: Mutex<Box<dyn Iterator<Item = Script> + Send>>,
    requests: Mutex<Vec<Request>>,
    gate: Semaphore,
    arrived: mpsc::UnboundedSender<Request>,
    gone: mpsc::UnboundedSender<()>,
}

impl Server {
    /// Starts a server that answers each request with the next script, over any connection, and
    /// then with 204.
    pub(crate) async fn start<I>(scripts: I) -> Self
    where
        I: IntoIterator<Item = Script, IntoIter: Send + 'static>,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (arrived, arrivals) = mpsc::unbounded_channel();
        let (gone, departures) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            scripts: Mutex::new(Box::new(scripts.into_iter())),
            requests: Mutex::default(),
            gate: Semaphore::new(0),
            arrived,
            gone,
        });
        Self {
            address: listener.local_addr().unwrap(),
            shared: Arc::clone(&shared),
            arrived: arrivals,
            gone: departures,
            task: tokio::spawn(accept(listener, shared)),
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Every request so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// The `Last-Event-ID` of every request so far.
    pub(crate) fn ids(&self) -> Vec<Option<String>> {
        let requests = self.requests();
        let ids = requests.iter().map(Request::last_event_id);
        ids.map(|id| id.map(str::to_owned)).collect()
    }

    /// Waits for the next request.
    pub(crate) async fn request(&mut self) -> Request {
        in_time("a request", self.arrived.recv()).await.unwrap()
    }

    /// Waits until a client has left in the middle of a script.
    pub(crate) async fn gone(&mut self) {
        in_time("the client leaves", self.gone.recv())
            .await
            .unwrap();
    }

    /// Lets one script pass its gate.
    pub(crate) fn go(&self) {
        self.shared.gate.add_permits(1);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = tokio::task::JoinSet::new();
    for number in 0.. {
        let (stream, _) = listener.accept().await.unwrap();
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            let left = serve(stream, number, &shared).await.unwrap_or(true);
            if left {
                // The test may be over.
                let _ = shared.gone.send(());
            }
        });
    }
}

/// Returns whether the client has left; an error means that, too.
async fn serve(stream: TcpStream, number: usize, shared: &Shared) -> io::Result<bool> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    while let Some(request) = read_request(&mut stream, number).await? {
        shared.requests.lock().unwrap().push(request.clone());
        let _ = shared.arrived.send(request);
        let script = shared.scripts.lock().unwrap().next();
        for step in script.unwrap_or_else(Script::no_content).0 {
            match step {
                Step::Send(bytes) => stream.write_all(&bytes).await?,
                Step::Flood(bytes, times) => {
                    for _ in 0..times {
                        stream.write_all(&bytes).await?;
                    }
                }
                Step::Gate => shared.gate.acquire().await.unwrap().forget(),
                Step::Cut => return Ok(false),
                Step::Reset => {
                    stream.get_ref().set_zero_linger()?;
                    return Ok(false);
                }
                Step::Hold => return Ok(stream.read(&mut [0]).await? == 0),
            }
        }
    }
    Ok(false)
}

async fn read_request(
    stream: &mut BufReader<TcpStream>,
    connection: usize,
) -> io::Result<Option<Request>> {
    let mut lines = Vec::new();
    loop {
        let mut line = Vec::new();
        if stream.read_until(b'\n', &mut line).await? == 0 {
            return Ok(None);
        }
        match line.trim_ascii_end() {
            b"" => break,
            line => lines.push(line.to_vec()),
        }
    }
    let first = String::from_utf8(lines.remove(0)).unwrap();
    let mut words = first.split(' ').map(str::to_owned);
    let mut request = Request {
        connection,
        method: words.next().unwrap(),
        path: words.next().unwrap(),
        headers: lines.iter().map(|line| header(line)).collect(),
        body: Vec::new(),
        at: Instant::now(),
    };
    let length = request.header("content-length").map(str::parse);
    request.body.resize(length.unwrap_or(Ok(0)).unwrap(), 0);
    stream.read_exact(&mut request.body).await?;
    Ok(Some(request))
}

fn header(line: &[u8]) -> (String, Vec<u8>) {
    let colon = line.iter().position(|byte| *byte == b':').unwrap();
    let name = String::from_utf8(line[..colon].to_ascii_lowercase()).unwrap();
    (name, line[colon + 1..].trim_ascii().to_vec())
}
