//! A subscriber's side: first the history, then live, and back if it falls behind.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_core::Stream;

use super::Shared;
use crate::{
    fanout::{Listener, Read},
    overflow::Overflow,
    replay::Position,
    resume::Gap,
    subscription::OnGap,
    wire::join,
};

/// The stream behind a Joe subscriber.
pub(super) struct Reader {
    pub(super) shared: Arc<Shared>,
    pub(super) listener: Listener,
    /// Everything up to here has been read.
    pub(super) position: Position,
    pub(super) place: Place,
    pub(super) on_gap: OnGap,
}

pub(super) enum Place {
    /// In the history, page by page. Nothing is queued meanwhile: what is published is history, too.
    History,
    Live,
    Ended,
}

impl Reader {
    /// The next page of the history. `None` once there is no more: then the place has changed.
    /// `Pending` after a page in which nothing is for this subscriber, so that a long search stops nobody.
    fn poll_history(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let page = match &self.shared.replayer {
            Some(replayer) => replayer.page(self.position, self.listener.topics()),
            None => Err(Gap::Unknown),
        };
        let Ok(page) = page else {
            // Nothing to catch up from, or no longer.
            return Poll::Ready(self.give_up());
        };
        self.position = page.next;
        if !page.messages.is_empty() {
            return Poll::Ready(Some(join(&page.messages)));
        }
        let shared = &self.shared;
        let is_up_to_date = || self.position >= shared.history_end();
        self.place = match self.listener.join(is_up_to_date) {
            Ok(true) => Place::Live,
            Err(_) => Place::Ended,
            Ok(false) => {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
        };
        Poll::Ready(None)
    }

    /// The queue has dropped what was next.
    fn fall_behind(&mut self) -> Option<Bytes> {
        match self.shared.overflow {
            Overflow::CatchUp => {
                self.place = Place::History;
                None
            }
            Overflow::Disconnect | Overflow::Skip => self.give_up(),
        }
    }

    /// What was next cannot be had any more: skips it, if it may, or ends, so
    /// that the client resumes and is told of the gap.
    fn give_up(&mut self) -> Option<Bytes> {
        if self.shared.overflow != Overflow::Skip {
            self.place = Place::Ended;
            return None;
        }
        let (shared, position) = (&self.shared, &mut self.position);
        let joined = self.listener.join(|| {
            *position = shared.history_end();
            true
        });
        self.place = match joined {
            Ok(_) => Place::Live,
            Err(_) => Place::Ended,
        };
        (self.on_gap == OnGap::Tell).then(|| Gap::Skipped.message().to_bytes())
    }
}

impl Stream for Reader {
    type Item = Bytes;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let reader = self.get_mut();
        loop {
            let bytes = match reader.place {
                Place::Ended => return Poll::Ready(None),
                Place::History => ready!(reader.poll_history(cx)),
                Place::Live => match ready!(reader.listener.poll_read(cx)) {
                    Read::Bytes(bytes, position) => {
                        reader.position = position;
                        Some(bytes)
                    }
                    Read::Overflow => reader.fall_behind(),
                    Read::Closed => {
                        reader.place = Place::Ended;
                        None
                    }
                },
            };
            if bytes.is_some() {
                return Poll::Ready(bytes);
            }
        }
    }
}
