//! `Reader`: a subscriber's side: first the history, then live, and back if it falls behind.

use std::{
    pin::Pin,
    sync::{Arc, Weak},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_core::Stream;

use super::{
    history::{History, Reading, Waiting},
    shared::Shared,
};
use crate::{
    fanout::{Listener, Read},
    join::join,
    overflow::Overflow,
    replay::{Cursor, Page, Position, ReadError},
    resume::Gap,
    subscriber::Deliveries,
    subscription::OnGap,
    wire::COMMENT,
};

/// The stream behind a Joe subscriber.
pub(super) struct Reader {
    shared: Arc<Shared>,
    listener: Listener,
    /// The place up to which everything has been read.
    cursor: Cursor,
    /// The position at which it ends, if it is to finish; [`OPEN`] if not.
    end: Position,
    place: Place,
    on_gap: OnGap,
    /// It is reading everything that is kept, and has not joined yet.
    begins_with_all: bool,
    /// The lowest bits of the number of the fan-out's probe that was answered last.
    probes: u32,
}

enum Place {
    /// In the history, page by page. Nothing is queued meanwhile: messages that are published are
    /// in the history, too.
    History(Arc<History>),
    /// In the history, waiting for the next page.
    Waiting(Waiting<Page>),
    Live,
    Ended,
}

/// The end of a stream that has not been asked to finish.
const OPEN: Position = Position(u64::MAX);

impl Reader {
    /// Begins at a cursor: live if the listener has joined there, else in the history.
    pub(super) fn new(
        shared: &Arc<Shared>,
        history: Option<&Arc<History>>,
        listener: Listener,
        cursor: Cursor,
        on_gap: OnGap,
    ) -> Self {
        let place = match history {
            Some(history) if !listener.has_joined() => Place::History(Arc::clone(history)),
            _ => Place::Live,
        };
        Self {
            listener,
            cursor,
            end: OPEN,
            place,
            on_gap,
            begins_with_all: false,
            probes: probes(shared),
            shared: Arc::clone(shared),
        }
    }

    /// Sets whether it goes on, and tells the client, if the history drops messages before they
    /// have been read: it is to read everything that is kept.
    pub(super) fn with_all(mut self, begins_with_all: bool) -> Self {
        self.begins_with_all = begins_with_all;
        self
    }

    /// Asks for the next page of the history, up to the newest delivered message.
    fn read_history(&self, history: &Arc<History>) -> Reading<Page> {
        let (from, until) = (self.cursor, self.shared.fanout.position().min(self.end));
        history.read(self.listener.topics(), move |replayer, topics, blocking| {
            replayer.page(from, until, topics, blocking)
        })
    }

    /// Goes on from a page of the history, and joins if that was the last. `None` if it is empty;
    /// `Pending` if it is empty and there is more to look through, so that other tasks run during a
    /// long search.
    fn after_page(
        &mut self,
        history: Arc<History>,
        page: Result<Page, ReadError>,
        cx: &Context<'_>,
    ) -> Poll<Option<Bytes>> {
        let Page { bytes, next } = match page {
            Ok(page) => page,
            Err(error) => {
                let Err(error) = error.into_gap() else {
                    return Poll::Ready(self.give_up(history));
                };
                self.shared.report(&error);
                return Poll::Ready(None);
            }
        };
        self.cursor = next;
        self.place = if next.after >= self.end {
            Place::Ended
        } else if next.after >= self.shared.fanout.position() {
            match self.listener.join(next.after) {
                Ok(true) => {
                    self.begins_with_all = false;
                    Place::Live
                }
                Ok(false) => Place::History(history),
                Err(_) => Place::Ended,
            }
        } else {
            Place::History(history)
        };
        if !bytes.is_empty() {
            return Poll::Ready(Some(bytes));
        }
        if matches!(self.place, Place::History(_)) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(None)
    }

    /// Goes to the history, or ends, because the queue has dropped the next message.
    fn fall_behind(&mut self) {
        let history = self.shared.history.as_ref().and_then(Weak::upgrade);
        self.place = match (self.shared.overflow, history) {
            (Overflow::CatchUp, Some(history)) => Place::History(history),
            // Where readers skip, the queue does so.
            (Overflow::CatchUp | Overflow::Disconnect | Overflow::Skip, _) => Place::Ended,
        };
    }

    /// Tells the client that the history has dropped the next message and goes on with what is
    /// left, if it may skip or is to read everything that is kept. If not, ends, so that the client
    /// resumes and is told of the gap.
    fn give_up(&mut self, history: Arc<History>) -> Option<Bytes> {
        let gap = match self.shared.overflow {
            Overflow::Skip => Gap::Skipped,
            Overflow::CatchUp | Overflow::Disconnect if self.begins_with_all => Gap::Expired,
            Overflow::CatchUp | Overflow::Disconnect => return None,
        };
        let now = history.replayer.earliest(self.listener.topics());
        self.cursor.lost = now.lost;
        self.place = Place::History(history);
        let notice = self.on_gap.notice(gap);
        notice.map(|message| message.to_bytes())
    }

    /// Takes live messages.
    fn take(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let Poll::Ready(read) = self.listener.poll_read(cx) else {
            if self.end != OPEN {
                self.place = Place::Ended;
                return Poll::Ready(None);
            }
            return self.answer_probe();
        };
        let (bytes, position) = match read {
            Read::Bytes(bytes, position) => (bytes, position),
            Read::Skipped(bytes, position) => match self.on_gap.notice(Gap::Skipped) {
                Some(notice) => (join([&notice.to_bytes(), &bytes]), position),
                None => (bytes, position),
            },
            Read::Overflow => {
                self.fall_behind();
                return Poll::Ready(None);
            }
            Read::Closed => {
                self.place = Place::Ended;
                return Poll::Ready(None);
            }
        };
        self.cursor = Cursor::after(position);
        if position > self.end {
            self.place = Place::Ended;
        }
        Poll::Ready(Some(bytes))
    }

    /// Writes a comment if the fan-out probes which clients are still there.
    fn answer_probe(&mut self) -> Poll<Option<Bytes>> {
        let probes = probes(&self.shared);
        if probes == self.probes {
            return Poll::Pending;
        }
        self.probes = probes;
        Poll::Ready(Some(Bytes::from_static(COMMENT)))
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "it is only compared, with what it was a moment ago"
)]
fn probes(shared: &Shared) -> u32 {
    shared.fanout.probes() as u32
}

impl Stream for Reader {
    type Item = Bytes;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let reader = self.get_mut();
        loop {
            // Ended, unless an arm below sets another place.
            let bytes = match std::mem::replace(&mut reader.place, Place::Ended) {
                Place::Ended => return Poll::Ready(None),
                Place::History(history) => match reader.read_history(&history) {
                    Reading::Done(page) => ready!(reader.after_page(history, page, cx)),
                    Reading::Waiting(waiting) => {
                        reader.place = Place::Waiting(waiting);
                        None
                    }
                },
                Place::Waiting(mut waiting) => match waiting.as_mut().poll(cx) {
                    Poll::Ready((history, page)) => ready!(reader.after_page(history, page, cx)),
                    Poll::Pending => {
                        reader.place = Place::Waiting(waiting);
                        return Poll::Pending;
                    }
                },
                Place::Live => {
                    reader.place = Place::Live;
                    ready!(reader.take(cx))
                }
            };
            if bytes.is_some() {
                return Poll::Ready(bytes);
            }
        }
    }
}

impl Deliveries for Reader {
    fn finish(self: Pin<&mut Self>) {
        let reader = self.get_mut();
        reader.end = reader.end.min(reader.shared.fanout.position());
        if matches!(reader.place, Place::History(_)) && reader.cursor.after >= reader.end {
            reader.place = Place::Ended;
        }
    }
}
