//! `Page` and `PageBuilder`: a part of the history, merged from several topics.

use std::convert::Infallible;

use bytes::{BufMut, Bytes, BytesMut};

use super::{Cursor, Position};

/// A part of the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Whole messages on the wire, in order.
    pub bytes: Bytes,
    /// The cursor from which the next page is read.
    pub next: Cursor,
}

impl Page {
    /// The bytes that make a reasonable write. A page has no more, unless it is a single message.
    ///
    /// More is not faster, and frameworks that copy what they send (actix-web, poem) keep a buffer
    /// of that size for each client.
    pub const BYTES: usize = 64 << 10;
}

/// Merges messages of several topics into a page: in order, each once, and within [`Page::BYTES`].
///
/// A history that keeps its messages by topic hands them over topic by topic:
///
/// ```
/// use bytes::Bytes;
/// use sse_core::replay::{Cursor, PageBuilder, Position};
///
/// let message = |n: u64| (Position(n), Bytes::from(format!("data: {n}\n\n")));
/// let mut page = PageBuilder::default();
/// page.take([1, 4].map(message)); // of one topic
/// page.take([2, 4].map(message)); // of another; message 4 is of both
/// let page = page.finish(Cursor::after(Position(0)), Position(5), Position(0));
/// assert_eq!(page.bytes, "data: 1\n\ndata: 2\n\ndata: 4\n\n");
/// assert_eq!(page.next, Cursor::after(Position(5)));
/// ```
///
/// `M` is a message on the wire; `Number` is its place in the order.
#[derive(Debug)]
pub struct PageBuilder<M, Number = Position> {
    messages: Vec<(Number, M)>,
    /// The number of messages that are merged, and their bytes.
    merged: usize,
    bytes: usize,
    /// The number of topics taken since.
    topics: usize,
    is_full: bool,
}

impl<M: AsRef<[u8]>, Number: Copy + Ord> PageBuilder<M, Number> {
    /// Takes messages of one topic, oldest first, until the page cannot hold more.
    pub fn take(&mut self, messages: impl IntoIterator<Item = (Number, M)>) {
        let Ok(()) = self.try_take(messages.into_iter().map(Ok::<_, Infallible>));
    }

    /// Takes messages of one topic as [`take`](Self::take) does, up to the first error.
    pub fn try_take<E>(
        &mut self,
        messages: impl IntoIterator<Item = Result<(Number, M), E>>,
    ) -> Result<(), E> {
        self.topics += 1;
        let mut bytes = self.bytes;
        for message in messages {
            let (number, message) = message?;
            let is_fitting = is_fitting(&mut bytes, &message);
            self.messages.push((number, message));
            if !is_fitting {
                // One more than fits: so the cut comes before everything that is left out here.
                break;
            }
        }
        Ok(())
    }

    /// Puts the topics that were taken in order and cuts them to the size of a page. Returns
    /// `false` if the page is full.
    ///
    /// For a history in parts that follow each other: every topic of one part is taken, then they
    /// are merged, then comes the next part, unless the page is full.
    pub fn merge(&mut self) -> bool {
        if self.topics > 1 {
            self.messages[self.merged..].sort_unstable_by_key(|(number, _)| *number);
            self.messages.dedup_by_key(|(number, _)| *number);
        }
        while let Some((_, message)) = self.messages.get(self.merged)
            && is_fitting(&mut self.bytes, message)
        {
            self.merged += 1;
        }
        self.is_full |= self.merged < self.messages.len();
        self.messages.truncate(self.merged);
        self.topics = 0;
        !self.is_full
    }

    /// Returns the merged messages, and the number up to which nothing is left out: that of the
    /// last message if the page is full, else the number up to which messages were taken.
    pub(crate) fn into_messages(mut self, until: Number) -> (Vec<(Number, M)>, Number) {
        self.merge();
        let next = match self.messages.last() {
            Some((last, _)) if self.is_full => *last,
            _ => until,
        };
        (self.messages, next)
    }
}

impl<M: AsRef<[u8]> + Into<Bytes>> PageBuilder<M> {
    /// Makes the page for a reader at `from`, from messages that were taken up to `until`, of a
    /// history that has dropped nothing after the moment `dropped_until`: see [`Cursor::lost`].
    ///
    /// A single message is shared if its type can do that, and several are copied.
    pub fn finish(self, from: Cursor, until: Position, dropped_until: Position) -> Page {
        let (messages, next) = self.into_messages(until.max(from.after));
        Page {
            bytes: concatenate(messages),
            next: from.advance(next, dropped_until),
        }
    }
}

/// An empty page.
impl<M, Number> Default for PageBuilder<M, Number> {
    fn default() -> Self {
        Self {
            messages: Vec::new(),
            merged: 0,
            bytes: 0,
            topics: 0,
            is_full: false,
        }
    }
}

/// Adds a message to the bytes of a page. Returns `true` if the page holds it: it is the first, or
/// there is room.
fn is_fitting(bytes: &mut usize, message: &impl AsRef<[u8]>) -> bool {
    let is_first = *bytes == 0;
    *bytes += message.as_ref().len();
    is_first || *bytes <= Page::BYTES
}

fn concatenate<M: AsRef<[u8]> + Into<Bytes>>(mut messages: Vec<(Position, M)>) -> Bytes {
    if messages.len() == 1
        && let Some((_, only)) = messages.pop()
    {
        return only.into();
    }
    let size = messages.iter().map(|(_, bytes)| bytes.as_ref().len()).sum();
    let mut out = BytesMut::with_capacity(size);
    for (_, message) in &messages {
        out.put_slice(message.as_ref());
    }
    out.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: usize = Page::BYTES / 4;

    fn message(number: u64) -> (Position, Vec<u8>) {
        (Position(number), vec![b'x'; SIZE])
    }

    /// The numbers on the page, and the number up to which nothing is left out.
    fn numbers(page: PageBuilder<Vec<u8>>) -> (Vec<u64>, u64) {
        let (messages, Position(next)) = page.into_messages(Position(99));
        let numbers = messages.into_iter().map(|(Position(number), _)| number);
        (numbers.collect(), next)
    }

    #[test]
    fn a_page_that_is_not_full_reaches_to_the_end() {
        let empty = PageBuilder::default();
        assert_eq!(numbers(empty), (vec![], 99));
        let mut page = PageBuilder::default();
        page.take([2, 4].map(message));
        page.take([1, 4].map(message));
        assert_eq!(numbers(page), (vec![1, 2, 4], 99));
    }

    #[test]
    fn a_page_that_is_exactly_full_is_not_cut() {
        let mut page = PageBuilder::default();
        page.take([1, 2, 3, 4].map(message));
        assert_eq!(numbers(page), (vec![1, 2, 3, 4], 99));
    }

    #[test]
    fn a_full_page_is_cut_before_everything_that_was_left_out() {
        let mut page = PageBuilder::default();
        let mut left_out = [1, 2, 3, 4, 6, 7].map(message).into_iter();
        page.take(left_out.by_ref());
        assert_eq!(
            left_out.next(),
            Some(message(7)),
            "one more than fits was taken"
        );
        page.take([5, 9].map(message));
        assert_eq!(numbers(page), (vec![1, 2, 3, 4], 4));
    }

    #[test]
    fn a_message_larger_than_a_page_is_one_of_its_own() {
        let large = |number| (Position(number), vec![b'x'; Page::BYTES + 1]);
        let mut page = PageBuilder::default();
        page.take([large(3), message(4)]);
        assert_eq!(numbers(page), (vec![3], 3));
        let mut page = PageBuilder::default();
        page.take([message(3), large(4)]);
        assert_eq!(numbers(page), (vec![3], 3));
    }

    #[test]
    fn parts_that_follow_each_other_share_a_page() {
        let mut page = PageBuilder::default();
        page.take([1].map(message));
        page.take([2].map(message));
        assert!(page.merge(), "there is room");
        page.take([4, 5, 6].map(message));
        page.take([3].map(message));
        assert!(!page.merge(), "it is full");
        assert_eq!(numbers(page), (vec![1, 2, 3, 4], 4));
    }

    #[test]
    fn an_error_ends_a_topic() {
        let mut page = PageBuilder::<Vec<u8>>::default();
        let taken = page.try_take([Ok(message(1)), Err("damaged"), Ok(message(2))]);
        assert_eq!(taken, Err("damaged"));
        assert_eq!(numbers(page).0, [1]);
    }
}
