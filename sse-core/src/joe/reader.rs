//! A subscriber's side: first the history, then live, and back if it falls behind.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_core::Stream;

use super::{
    Shared,
    history::{Reading, Waiting},
};
use crate::{
    fanout::{Listener, Read},
    overflow::Overflow,
    replay::{Page, Position, ReadError},
    resume::Gap,
    subscription::OnGap,
};

/// The stream behind a Joe subscriber.
pub(super) struct Reader {
    shared: Arc<Shared>,
    listener: Listener,
    /// Everything up to here has been read; `None` before the oldest that is kept.
    position: Option<Position>,
    place: Place,
    on_gap: OnGap,
}

pub(super) enum Place {
    /// In the history, page by page. Nothing is queued meanwhile: what is published is history, too.
    History,
    /// There, too, and the next page takes time.
    Waiting(Waiting<Page>),
    Live,
    Ended,
}

impl Reader {
    pub(super) fn new(
        shared: Arc<Shared>,
        listener: Listener,
        place: Place,
        position: Option<Position>,
        on_gap: OnGap,
    ) -> Self {
        Self {
            shared,
            listener,
            position,
            place,
            on_gap,
        }
    }

    /// Asks for what follows in the history, as far as it has been published.
    fn read_history(&self) -> Reading<Page> {
        let Some(history) = &self.shared.history else {
            return Reading::Done(Err(Gap::Unknown.into()));
        };
        let (after, until) = (self.position, self.shared.fanout.position());
        let topics = self.listener.topics().clone();
        history.read(
            |replayer| replayer.page_now(after, until, self.listener.topics()),
            move |replayer| replayer.page(after, until, &topics),
        )
    }

    /// Goes on from a page of the history: joins if that was the last. `None` if there is nothing in it; `Pending` if there
    /// is more to look through, so that a long search stops nobody.
    fn turn(&mut self, page: Result<Page, ReadError>, cx: &Context<'_>) -> Poll<Option<Bytes>> {
        self.place = Place::History;
        let Ok(Page { bytes, next }) = page else {
            // Nothing to catch up from, or no longer.
            return Poll::Ready(self.give_up());
        };
        self.position = Some(next);
        let is_up_to_date = |newest| next >= newest;
        if is_up_to_date(self.shared.fanout.position()) {
            match self.listener.join(is_up_to_date) {
                Ok(true) => self.place = Place::Live,
                Ok(false) => {}
                Err(_) => self.place = Place::Ended,
            }
        }
        if !bytes.is_empty() {
            return Poll::Ready(Some(bytes));
        }
        if matches!(self.place, Place::History) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
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
        let joined = self.listener.join(|newest| {
            self.position = Some(newest);
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
            let bytes = match &mut reader.place {
                Place::Ended => return Poll::Ready(None),
                Place::History => match reader.read_history() {
                    Reading::Done(page) => ready!(reader.turn(page, cx)),
                    Reading::Waiting(waiting) => {
                        reader.place = Place::Waiting(waiting);
                        None
                    }
                },
                Place::Waiting(waiting) => {
                    let page = ready!(waiting.as_mut().poll(cx));
                    ready!(reader.turn(page, cx))
                }
                Place::Live => match ready!(reader.listener.poll_read(cx)) {
                    Read::Bytes(bytes, position) => {
                        reader.position = Some(position);
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
