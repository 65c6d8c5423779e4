//! The body of a reqwest response, if that is an event stream.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_core::Stream;
use http::{StatusCode, header::CONTENT_TYPE};
use http_body_util::BodyDataStream;
use sse_core::response::is_event_stream;

use super::Refused;
use crate::BoxError;

/// How much of a refusal is kept for its error.
const TEXT: usize = 1_024;

/// The body of a response; fails at once if that is not an event stream.
#[derive(Debug)]
pub struct ResponseBody {
    body: BodyDataStream<reqwest::Body>,
    refusal: Option<Refusal>,
}

/// What is known of a refusal before its body.
#[derive(Debug)]
struct Refusal {
    status: StatusCode,
    content_type: Option<String>,
}

impl ResponseBody {
    pub(super) fn new(response: reqwest::Response) -> Self {
        let status = response.status();
        let content_type = response.headers().get(CONTENT_TYPE);
        let accepted = status.is_success()
            && content_type.is_some_and(|value| is_event_stream(value.as_bytes()));
        let refusal = (!accepted).then(|| Refusal {
            status,
            content_type: content_type
                .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()),
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
        let chunk = ready!(Pin::new(&mut self.body).poll_next(cx));
        if let Some(refusal) = self.refusal.take() {
            // The first chunk is all that is waited for: a refusal might go on for ever.
            let text = chunk.and_then(Result::ok).unwrap_or_default();
            return Poll::Ready(Some(Err(refusal.with(&text).into())));
        }
        Poll::Ready(chunk.map(|chunk| chunk.map_err(Into::into)))
    }
}

impl Refusal {
    fn with(self, text: &[u8]) -> Refused {
        let text = &text[..text.len().min(TEXT)];
        Refused {
            status: self.status,
            content_type: self.content_type,
            text: String::from_utf8_lossy(text).into_owned(),
        }
    }
}
