//! A bare HTTP/1 client that hides nothing: it sees the head as it was sent, each chunk, and how a
//! body ended.

use std::{collections::VecDeque, net::SocketAddr, time::Duration};

use sse_core::wire::Decoder;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

use crate::{OwnedEvent, decode, in_time};

/// A connection.
#[derive(Debug)]
pub struct Client {
    stream: BufReader<TcpStream>,
}

/// A response whose head has arrived.
#[derive(Debug)]
pub struct Response {
    pub version: String,
    pub status: u16,
    /// In the order in which they came, names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Body,
}

/// The body of a response as it arrives.
#[derive(Debug)]
pub struct Body {
    stream: BufReader<TcpStream>,
    framing: Framing,
    decoder: Decoder,
    events: VecDeque<OwnedEvent>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Chunked,
    Length(usize),
    UntilClosed,
    Ended,
}

/// A piece of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    Data(Vec<u8>),
    /// The last chunk, the whole length, or for HTTP/1.0 the end of the connection.
    End,
    /// The connection ended before the body did.
    CutOff,
}

impl Client {
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = in_time("a connection", TcpStream::connect(address)).await;
        Self {
            stream: BufReader::new(stream.expect("the server accepts")),
        }
    }

    pub async fn get(self, path: &str) -> Response {
        self.get_with(path, &[]).await
    }

    pub async fn get_with(self, path: &str, headers: &[(&str, &[u8])]) -> Response {
        self.send("GET", path, "HTTP/1.1", headers).await
    }

    pub async fn post(self, path: &str, headers: &[(&str, &[u8])], body: &[u8]) -> Response {
        self.exchange("POST", path, "HTTP/1.1", headers, body).await
    }

    pub async fn send(
        self,
        method: &str,
        path: &str,
        version: &str,
        headers: &[(&str, &[u8])],
    ) -> Response {
        self.exchange(method, path, version, headers, b"").await
    }

    async fn exchange(
        mut self,
        method: &str,
        path: &str,
        version: &str,
        headers: &[(&str, &[u8])],
        body: &[u8],
    ) -> Response {
        let mut request = format!("{method} {path} {version}\r\nhost: localhost\r\n").into_bytes();
        for (name, value) in headers {
            request.extend_from_slice(name.as_bytes());
            request.extend_from_slice(b": ");
            request.extend_from_slice(value);
            request.extend_from_slice(b"\r\n");
        }
        request.extend_from_slice(b"\r\n");
        request.extend_from_slice(body);
        self.stream
            .write_all(&request)
            .await
            .expect("the request is sent");
        in_time("the head of the response", self.head(method)).await
    }

    async fn head(mut self, method: &str) -> Response {
        let status_line = line(&mut self.stream).await.expect("a status line");
        let mut words = status_line.split(' ');
        let version = words.next().unwrap_or_default().to_owned();
        let status = words
            .next()
            .and_then(|status| status.parse().ok())
            .expect("a status");
        let mut headers = Vec::new();
        loop {
            let line = line(&mut self.stream).await.expect("a header line");
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').expect("a name and a value");
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let framing = if method == "HEAD" {
            Framing::Ended
        } else {
            framing(&headers)
        };
        let body = Body {
            stream: self.stream,
            framing,
            decoder: Decoder::new(),
            events: VecDeque::new(),
        };
        Response {
            version,
            status,
            headers,
            body,
        }
    }
}

impl Response {
    /// Checks that this is a refusal that a browser survives: an event stream that ends after the
    /// time to come back and the reason. Returns its text.
    pub async fn is_survived(self) -> String {
        assert_eq!(self.status, 200);
        assert_eq!(self.header("content-type"), Some("text/event-stream"));
        let text = self.body.rest().await;
        let retry = text.lines().find_map(|line| line.strip_prefix("retry: "));
        let millis = retry.map(str::parse::<u64>);
        assert!(
            matches!(millis, Some(Ok(5_000..=10_000))),
            "a time to come back: {text:?}"
        );
        assert!(!text.contains("id: "), "its last id still counts: {text:?}");
        text
    }

    /// Checks that this is a refusal for now: 503, a time to come back, and no event stream.
    pub fn is_503_with_retry_after(&self) {
        assert_eq!(self.status, 503);
        let seconds = self.header("retry-after").map(str::parse::<u64>);
        assert!(
            matches!(seconds, Some(Ok(1..))),
            "whole seconds: {seconds:?}"
        );
        assert_ne!(self.header("content-type"), Some("text/event-stream"));
    }

    /// Returns the value of a header; two of the same name are a failure.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self
            .headers
            .iter()
            .filter(|(own, _)| own == name)
            .map(|(_, value)| value.as_str());
        let value = values.next();
        assert_eq!(
            values.next(),
            None,
            "{name} is there once: {:?}",
            self.headers
        );
        value
    }
}

impl Body {
    /// Returns the next chunk.
    pub async fn piece(&mut self) -> Piece {
        in_time("the next piece of the body", self.read()).await
    }

    /// Returns the next chunk, if it comes within this time.
    pub async fn piece_within(&mut self, time: Duration) -> Option<Piece> {
        tokio::time::timeout(time, self.read()).await.ok()
    }

    /// Returns the beginning of a subscription: the id of its place and a blank line.
    pub async fn opening(&mut self) -> String {
        let text = self.text().await;
        let id = text
            .strip_prefix("id: ")
            .and_then(|text| text.strip_suffix("\n\n"));
        let id = id.unwrap_or_else(|| panic!("the place where it begins: {text:?}"));
        assert!(!id.contains('\n'), "nothing else: {text:?}");
        id.to_owned()
    }

    /// Returns the next chunk as text.
    pub async fn text(&mut self) -> String {
        match self.piece().await {
            Piece::Data(bytes) => String::from_utf8(bytes).expect("an event stream is UTF-8"),
            other => panic!("the body goes on, but: {other:?}"),
        }
    }

    /// Returns all text up to the clean end of the body.
    pub async fn rest(mut self) -> String {
        let mut text = Vec::new();
        loop {
            match self.piece().await {
                Piece::Data(bytes) => text.extend(bytes),
                Piece::End => return String::from_utf8(text).expect("an event stream is UTF-8"),
                Piece::CutOff => panic!("the body was cut off"),
            }
        }
    }

    /// Returns the next event; comments are passed over.
    pub async fn event(&mut self) -> OwnedEvent {
        loop {
            if let Some(event) = self.events.pop_front() {
                return event;
            }
            match self.piece().await {
                Piece::Data(bytes) => self.events.extend(decode(&mut self.decoder, &bytes)),
                other => panic!("an event comes, but: {other:?}"),
            }
        }
    }

    /// Returns the data of the next events.
    pub async fn data(&mut self, count: usize) -> Vec<String> {
        let mut data = Vec::new();
        while data.len() < count {
            data.push(self.event().await.data);
        }
        data
    }

    /// Closes the connection without a word: a reset instead of the orderly end.
    pub fn reset(self) {
        let stream = self.stream.into_inner();
        #[expect(
            deprecated,
            reason = "a linger of zero does not block, it makes the close a reset"
        )]
        let set = stream.set_linger(Some(Duration::ZERO));
        set.expect("the option can be set");
    }

    async fn read(&mut self) -> Piece {
        match self.framing {
            Framing::Ended => Piece::End,
            Framing::Chunked => self.chunk().await.unwrap_or(Piece::CutOff),
            Framing::Length(0) => {
                self.framing = Framing::Ended;
                Piece::End
            }
            Framing::Length(left) => {
                let bytes = self.some(left).await;
                self.framing = Framing::Length(left - bytes.len());
                if bytes.is_empty() {
                    Piece::CutOff
                } else {
                    Piece::Data(bytes)
                }
            }
            Framing::UntilClosed => {
                let bytes = self.some(64 << 10).await;
                if bytes.is_empty() {
                    Piece::End
                } else {
                    Piece::Data(bytes)
                }
            }
        }
    }

    async fn chunk(&mut self) -> Option<Piece> {
        let size = line(&mut self.stream).await?;
        let size = usize::from_str_radix(&size, 16).expect("the size of a chunk");
        let mut bytes = vec![0; size];
        self.stream.read_exact(&mut bytes).await.ok()?;
        let end = line(&mut self.stream).await?;
        assert_eq!(end, "", "a chunk ends with an empty line");
        if size == 0 {
            self.framing = Framing::Ended;
            return Some(Piece::End);
        }
        Some(Piece::Data(bytes))
    }

    async fn some(&mut self, most: usize) -> Vec<u8> {
        let mut bytes = vec![0; most];
        let count = self.stream.read(&mut bytes).await.unwrap_or(0);
        bytes.truncate(count);
        bytes
    }
}

fn framing(headers: &[(String, String)]) -> Framing {
    let value = |name: &str| {
        headers
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.as_str())
    };
    match (value("transfer-encoding"), value("content-length")) {
        (Some("chunked"), _) => Framing::Chunked,
        (_, Some(length)) => Framing::Length(length.parse().expect("a length")),
        _ => Framing::UntilClosed,
    }
}

/// The next line without its CRLF, or `None` at the end of the connection.
async fn line(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = Vec::new();
    loop {
        match stream.read_u8().await {
            Ok(b'\n') => break,
            Ok(byte) => line.push(byte),
            Err(_) => return None,
        }
    }
    assert_eq!(line.pop(), Some(b'\r'), "lines of HTTP end in CRLF");
    Some(String::from_utf8(line).expect("the head is text"))
}
