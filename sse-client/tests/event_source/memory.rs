//! A transport without a network, so that time can be paused.

use std::{
    collections::VecDeque,
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::{Request, Response, StatusCode, header::CONTENT_TYPE};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use sse_client::{Body, BoxError, EventSource, Transport, TransportError};
use sse_wire::MEDIA_TYPE;
use tokio::time::{Instant, sleep};

/// The answer to one request.
pub(crate) enum Answer {
    /// Nobody listens.
    Refused,
    /// The request can never be sent.
    Permanent,
    /// Neither an answer nor an error.
    Silence,
    /// A status with a header.
    Status(u16, &'static str, String),
    /// An event stream, which ends properly after its parts.
    Stream(Vec<Part>),
}

/// A part of a stream.
pub(crate) enum Part {
    Bytes(&'static str),
    Wait(Duration),
    Lost,
    Silence,
}

/// Answers each request with the next answer, and then with 204.
#[derive(Clone)]
pub(crate) struct Memory(Arc<Shared>);

struct Shared {
    answers: Mutex<VecDeque<Answer>>,
    requests: Mutex<Vec<(Duration, Request<Bytes>)>>,
    abandoned: AtomicUsize,
    start: Instant,
}

impl Memory {
    pub(crate) fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self(Arc::new(Shared {
            answers: Mutex::new(answers.into_iter().collect()),
            requests: Mutex::default(),
            abandoned: AtomicUsize::new(0),
            start: Instant::now(),
        }))
    }

    /// Returns a source that it answers.
    pub(crate) fn source(&self) -> EventSource {
        EventSource::get("http://memory.example/").transport(self.clone())
    }

    /// Returns the times of the requests, in milliseconds.
    pub(crate) fn times(&self) -> Vec<u128> {
        let requests = self.0.requests.lock().unwrap();
        requests.iter().map(|(at, _)| at.as_millis()).collect()
    }

    /// Returns the time that has passed, in milliseconds.
    pub(crate) fn now(&self) -> u128 {
        self.0.start.elapsed().as_millis()
    }

    /// Returns how often the connections were abandoned.
    pub(crate) fn abandoned(&self) -> usize {
        self.0.abandoned.load(Ordering::Relaxed)
    }

    /// Returns the number of other users: sources, their requests and bodies.
    pub(crate) fn users(&self) -> usize {
        Arc::strong_count(&self.0) - 1
    }
}

#[async_trait]
impl Transport for Memory {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Body>, TransportError> {
        let at = self.0.start.elapsed();
        self.0.requests.lock().unwrap().push((at, request));
        let answer = self.0.answers.lock().unwrap().pop_front();
        let no_content = || Answer::Status(204, "x-end", "yes".into());
        match answer.unwrap_or_else(no_content) {
            Answer::Refused => Err(TransportError::new("refused")),
            Answer::Permanent => Err(TransportError::permanent("permanent")),
            Answer::Silence => pending().await,
            Answer::Status(status, name, value) => {
                let response = Response::builder().status(status).header(name, value);
                Ok(response.body(body(Vec::new(), self.clone())).unwrap())
            }
            Answer::Stream(parts) => {
                let response = Response::builder()
                    .status(StatusCode::OK)
                    .header(CONTENT_TYPE, MEDIA_TYPE);
                Ok(response.body(body(parts, self.clone())).unwrap())
            }
        }
    }

    fn abandon_connections(&self) {
        self.0.abandoned.fetch_add(1, Ordering::Relaxed);
    }
}

/// A body keeps its transport, which shows whether it has been dropped.
fn body(parts: Vec<Part>, transport: Memory) -> Body {
    let frames = stream::iter(parts).filter_map(move |part| {
        let transport = transport.clone();
        async move {
            let frame = match part {
                Part::Bytes(bytes) => Some(Ok(Frame::data(Bytes::from_static(bytes.as_bytes())))),
                Part::Wait(time) => {
                    // pace: the wait of the script; time is paused.
                    sleep(time).await;
                    None
                }
                Part::Lost => Some(Err(BoxError::from("lost"))),
                Part::Silence => pending().await,
            };
            drop(transport);
            frame
        }
    });
    StreamBody::new(frames).boxed_unsync()
}
