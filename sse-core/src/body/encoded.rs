//! `Encoded`: a stream of messages as a stream of bytes.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_core::Stream;
use sync_wrapper::SyncStream;

use crate::wire::Message;

/// A stream of messages as bytes, without the empty ones.
pub(super) struct Encoded<S>(Pin<Box<SyncStream<S>>>);

/// The number of empty messages in a row that are left out before other tasks run.
const EMPTY: usize = 128;

impl<S: Stream<Item = Message>> Encoded<S> {
    pub(super) fn new(messages: S) -> Self {
        Self(Box::pin(SyncStream::new(messages)))
    }
}

impl<S: Stream<Item = Message>> Stream for Encoded<S> {
    type Item = Bytes;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        for _ in 0..EMPTY {
            match ready!(self.0.as_mut().poll_next(cx)) {
                Some(message) if message.is_empty() => {}
                message => return Poll::Ready(message.map(|message| message.to_bytes())),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
