//! The events of a reqwest response, if it is an event stream.

use std::{
    fmt,
    future::poll_fn,
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use futures_core::Stream;
use reqwest::Response;
use tokio::{runtime::Handle, time::timeout};

use crate::{BoxError, Events, Refused, encoding::Decoded, refused::has_event_stream_type};

/// Reads the events of a response: one answer, without reconnecting. Available with feature
/// `reqwest`.
///
/// A response that is not an event stream, such as an error of the server, is
/// [`ReadError::Refused`](crate::ReadError::Refused), with the beginning of its text. [`Events`]
/// has constructors for other bodies, and so for a response without a content type:
/// `Events::from_body(reqwest::Body::from(response))` asks neither for a type nor for a status, and
/// decompresses nothing.
///
/// After `[DONE]` the rest of the body, which is its end as a rule, is read in the background for a
/// moment: the next request can then use the connection again.
pub fn read(response: Response) -> Events<ResponseBody> {
    Events::new(ResponseBody::new(response)).at_done(ResponseBody::drain)
}

/// The body of a response: the chunks of an event stream, or an error that holds a [`Refused`].
/// Available with feature `reqwest`.
pub struct ResponseBody(State);

enum State {
    Accepted(Decoded<reqwest::Body>),
    Refused(Pin<Box<dyn Future<Output = Refused> + Send + Sync>>),
    Ended,
}

impl ResponseBody {
    fn new(response: Response) -> Self {
        let (head, body) = http::Response::from(response).into_parts();
        let mut body = Decoded::new(&head.headers, body);
        if head.status.is_success() && has_event_stream_type(&head.headers) {
            match body {
                Ok(body) => return Self(State::Accepted(body)),
                Err(encoding) => body = Err(encoding),
            }
        }
        let refused = Refused::read(head.status, head.headers, body);
        Self(State::Refused(Box::pin(refused)))
    }
}

/// The limits for the rest of a body after the last event: a server that goes on for longer loses
/// its connection.
const REST_BYTES: usize = 64 << 10;
const REST_TIME: Duration = Duration::from_secs(2);

impl ResponseBody {
    /// Reads the rest in the background.
    fn drain(&mut self) {
        let State::Accepted(mut body) = mem::replace(&mut self.0, State::Ended) else {
            return;
        };
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        runtime.spawn(timeout(REST_TIME, async move {
            let mut bytes = 0;
            while bytes < REST_BYTES
                && let Some(Ok(chunk)) = poll_fn(|cx| Pin::new(&mut body).poll_next(cx)).await
            {
                bytes += chunk.len();
            }
        }));
    }
}

impl Stream for ResponseBody {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match &mut self.0 {
            State::Accepted(body) => Pin::new(body).poll_next(cx),
            State::Refused(refused) => {
                let refused = ready!(refused.as_mut().poll(cx));
                self.0 = State::Ended;
                Poll::Ready(Some(Err(refused.into())))
            }
            State::Ended => Poll::Ready(None),
        }
    }
}

impl fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody").finish_non_exhaustive()
    }
}
