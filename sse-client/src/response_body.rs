//! The events of a reqwest response, if it is an event stream.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use futures_core::Stream;
use http::{StatusCode, header::CONTENT_TYPE};
use http_body_util::BodyDataStream;
use reqwest::Response;
use sse_wire::is_event_stream;
use tokio::time::{Sleep, sleep};

use crate::{BoxError, Events, Refused};

/// How much of a refusal is kept for its error, and how long it is waited for: it might go on for ever.
const TEXT: usize = 16 << 10;
const PATIENCE: Duration = Duration::from_secs(2);

/// Reads the events of a response: one answer, without reconnecting. Available with feature
/// `reqwest`.
///
/// A response that is not an event stream, such as an error of the server, is
/// [`ReadError::Refused`](crate::ReadError::Refused), with the beginning of its text.
/// [`Events`] reads other bodies.
pub fn read(response: Response) -> Events<ResponseBody> {
    Events::new(ResponseBody::new(response))
}

/// The body of a response; fails if that is not an event stream, with the text that stands there instead.
#[derive(Debug)]
pub struct ResponseBody {
    body: BodyDataStream<reqwest::Body>,
    refusal: Option<Refusal>,
}

/// A refusal whose text has yet to come.
#[derive(Debug)]
struct Refusal {
    status: StatusCode,
    content_type: Option<String>,
    text: Vec<u8>,
    patience: Pin<Box<Sleep>>,
}

impl ResponseBody {
    fn new(response: Response) -> Self {
        let status = response.status();
        let content_type = response.headers().get(CONTENT_TYPE);
        let accepted = status.is_success()
            && content_type.is_some_and(|value| is_event_stream(value.as_bytes()));
        let refusal = (!accepted).then(|| Refusal {
            status,
            content_type: content_type
                .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()),
            text: Vec::new(),
            patience: Box::pin(sleep(PATIENCE)),
        });
        Self {
            body: BodyDataStream::new(response.into()),
            refusal,
        }
    }
}

impl Stream for ResponseBody {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if let Some(refusal) = &mut this.refusal {
            ready!(refusal.poll_text(&mut this.body, cx));
            let refused = refusal.told();
            this.refusal = None;
            return Poll::Ready(Some(Err(refused.into())));
        }
        let chunk = ready!(Pin::new(&mut this.body).poll_next(cx));
        Poll::Ready(chunk.map(|chunk| chunk.map_err(Into::into)))
    }
}

impl Refusal {
    /// Ready with as much text as there is in time; an error of the body is only its end.
    fn poll_text(
        &mut self,
        body: &mut BodyDataStream<reqwest::Body>,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        while self.text.len() < TEXT {
            match Pin::new(&mut *body).poll_next(cx) {
                Poll::Ready(Some(Ok(chunk))) => {
                    let length = chunk.len().min(TEXT - self.text.len());
                    self.text.extend_from_slice(&chunk[..length]);
                }
                Poll::Ready(_) => break,
                Poll::Pending => {
                    ready!(self.patience.as_mut().poll(cx));
                    break;
                }
            }
        }
        Poll::Ready(())
    }

    fn told(&self) -> Refused {
        Refused {
            status: self.status,
            content_type: self.content_type.clone(),
            text: String::from_utf8_lossy(&self.text).into_owned(),
        }
    }
}
