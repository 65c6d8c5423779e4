//! Streams that always have more: other tasks and timeouts have their turn all the same.

use std::{convert::Infallible, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use sse_client::{Body, BoxError, Closed, EventSource, Events, Transport, TransportError};
use tokio::time::timeout;

const CHUNKS: [&str; 5] = [": k\n", "x: y\n", "id: 1\n\n", "retry: 1\n", "data: x\n\n"];

const TIME: Duration = Duration::from_millis(50);

/// A body that always has the next chunk.
struct Flood(Bytes);

#[async_trait]
impl Transport for Flood {
    async fn send(&self, _: Request<Bytes>) -> Result<Response<Body>, TransportError> {
        let chunk = self.0.clone();
        let chunks = stream::repeat_with(move || Ok::<_, BoxError>(Frame::data(chunk.clone())));
        let response = Response::builder().header("content-type", "text/event-stream");
        let body = StreamBody::new(chunks).boxed_unsync();
        Ok(response.body(body).unwrap())
    }
}

fn source(chunk: &str) -> EventSource {
    let chunk = chunk.repeat(1_000).into();
    EventSource::get("http://flood.example/").transport(Flood(chunk))
}

#[tokio::test]
async fn a_timeout_around_a_source_fires() {
    for chunk in CHUNKS {
        let mut source = source(chunk);
        let all = async { while source.next().await.is_some() {} };
        assert!(timeout(TIME, all).await.is_err(), "{chunk:?}");
    }
}

#[tokio::test]
async fn another_task_can_close_a_source() {
    for chunk in CHUNKS {
        let source = source(chunk);
        let handle = source.handle().clone();
        let closing = tokio::spawn(async move { handle.close() });
        assert!(matches!(source.run().await, Closed::ByClient), "{chunk:?}");
        closing.await.unwrap();
    }
}

#[tokio::test]
async fn a_timeout_around_the_events_of_a_body_fires() {
    for chunk in CHUNKS {
        let bytes = Bytes::from(chunk.repeat(1_000));
        let chunks = stream::repeat_with(move || Ok::<_, Infallible>(bytes.clone()));
        let mut events = Events::from_stream(chunks);
        let all = async { while events.next().await.is_some() {} };
        assert!(timeout(TIME, all).await.is_err(), "{chunk:?}");
    }
}
