//! A subscriber's side: first the history, then the queue, and back if it falls behind.

use std::{
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_core::Stream;

use super::{
    Shared,
    audience::{Audience, Cursor, Read},
    registry::Registry,
};
use crate::{replay::Position, resume::Gap, topics::Topics, wire::join};

/// The stream behind a Joe subscriber.
pub(super) struct Reader {
    shared: Arc<Shared>,
    topics: Topics,
    audience: Arc<Audience>,
    /// Everything up to here has been read.
    position: Position,
    place: Place,
}

enum Place {
    /// In the history, page by page. Nothing is queued meanwhile: what is published is history, too.
    History,
    Live(Cursor),
    Ended,
}

impl Reader {
    /// Reads what follows the position. The registry's lock makes sure that nothing falls in between.
    pub(super) fn new(
        shared: &Arc<Shared>,
        registry: &mut Registry,
        topics: &Topics,
        position: Position,
    ) -> Self {
        let audience = registry.enter(topics);
        shared.subscribers.fetch_add(1, Ordering::Relaxed);
        let place = if position == shared.history_end() {
            Place::Live(audience.join())
        } else {
            Place::History
        };
        Self {
            shared: Arc::clone(shared),
            topics: topics.clone(),
            audience,
            position,
            place,
        }
    }

    /// The next page of the history. `None` once there is no more: then the place has changed.
    /// `Pending` after a page in which nothing is for this subscriber, so that a long search stops nobody.
    fn poll_history(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let page = match &self.shared.replayer {
            Some(replayer) => replayer.page(self.position, &self.topics),
            None => Err(Gap::Unknown),
        };
        let Ok(page) = page else {
            // Nothing to catch up from, or no longer: the client has to resume and is told of the gap.
            self.place = Place::Ended;
            return Poll::Ready(None);
        };
        self.position = page.next;
        if !page.messages.is_empty() {
            return Poll::Ready(Some(join(&page.messages)));
        }
        if self.leave_history() {
            return Poll::Ready(None);
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Goes on to the queue, if all of the history has been read. Under the lock of
    /// whoever publishes, so that nothing falls in between.
    fn leave_history(&mut self) -> bool {
        let registry = self.shared.registry();
        if self.position < self.shared.history_end() {
            return false;
        }
        self.place = match registry.check_open() {
            Ok(()) => Place::Live(self.audience.join()),
            Err(_) => Place::Ended,
        };
        true
    }
}

impl Stream for Reader {
    type Item = Bytes;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let reader = self.get_mut();
        loop {
            match &mut reader.place {
                Place::History => {
                    if let Some(bytes) = ready!(reader.poll_history(cx)) {
                        return Poll::Ready(Some(bytes));
                    }
                }
                Place::Live(cursor) => {
                    match ready!(reader.audience.poll_read(cursor, &reader.shared, cx)) {
                        Read::Bytes(bytes, position) => {
                            reader.position = position;
                            return Poll::Ready(Some(bytes));
                        }
                        Read::Overflow => {
                            reader.audience.leave(cursor, &reader.shared);
                            reader.place = Place::History;
                        }
                        Read::Closed => {
                            reader.audience.leave(cursor, &reader.shared);
                            reader.place = Place::Ended;
                        }
                    }
                }
                Place::Ended => return Poll::Ready(None),
            }
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Place::Live(cursor) = &self.place {
            self.audience.leave(cursor, &self.shared);
        }
        self.shared.registry().leave(&self.topics);
        self.shared.subscribers.fetch_sub(1, Ordering::Relaxed);
    }
}
