//! Updates that have already arrived.

use std::{future::poll_fn, pin::Pin, task::Poll};

use futures_core::Stream as _;
use sse_client::{EventSource, Update};

/// Returns the next update if it is already there: updates that arrived together are handled
/// together.
pub(crate) async fn ready_now(source: &mut EventSource) -> Option<Update> {
    poll_fn(|cx| match Pin::new(&mut *source).poll_next(cx) {
        Poll::Ready(update) => Poll::Ready(update),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}
