//! The lines between two blank ones, on their way to an event.

use std::{mem, ops::BitOr};

use crate::field::EventType;
use crate::{
    item::Event,
    limits::{DecodeError, Limits},
    line::utf8,
};

/// The capacity that an emptied buffer keeps. One huge event must not stay in memory for as long as
/// a connection lasts, and a usual one must not allocate each time.
pub(crate) const KEPT_BYTES: usize = 64 << 10;

/// The part of the current block that is no longer in the input, and the last event id of the
/// stream.
#[derive(Debug, Default)]
pub(crate) struct Block {
    data: Buffered,
    event: Buffered,
    id: Buffered,
    last_event_id: String,
}

/// The fields of the current block that are still in the input. They are younger than those that
/// the [`Block`] has buffered, and are copied only if the block does not end in this input.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Borrowed<'input> {
    data: Option<&'input [u8]>,
    event: Option<&'input [u8]>,
    id: Option<&'input [u8]>,
}

/// The value of a field, in bytes until the block ends: to check it as a whole is faster than line
/// by line.
#[derive(Debug, Default)]
struct Buffered {
    bytes: Vec<u8>,
    is_set: bool,
    /// The text, if the bytes were not UTF-8.
    replaced: String,
}

impl Block {
    pub(crate) fn last_event_id(&self) -> &str {
        &self.last_event_id
    }

    /// Returns the data so far, which is not in the input any more.
    pub(crate) fn data(&self) -> Option<&[u8]> {
        self.data.get()
    }

    pub(crate) fn start_from(&mut self, last_event_id: String) {
        self.last_event_id = last_event_id;
    }

    #[inline]
    pub(crate) fn add_data<'input>(
        &mut self,
        value: &'input [u8],
        borrowed: &mut Borrowed<'input>,
        limits: Limits,
    ) -> Result<(), DecodeError> {
        if !self.data.is_set && borrowed.data.is_none() {
            limits.check_event(value.len())?;
            borrowed.data = Some(value);
            return Ok(());
        }
        if let Some(first) = borrowed.data.take() {
            self.data.set(first);
        }
        limits.check_event(self.data.bytes.len() + 1 + value.len())?;
        self.data.bytes.push(b'\n');
        self.data.bytes.extend_from_slice(value);
        Ok(())
    }

    #[inline]
    pub(crate) fn set_event<'input>(value: &'input [u8], borrowed: &mut Borrowed<'input>) {
        borrowed.event = Some(value);
    }

    #[inline]
    pub(crate) fn set_id<'input>(value: &'input [u8], borrowed: &mut Borrowed<'input>) {
        if !has_nul(value) {
            borrowed.id = Some(value);
        }
    }

    /// Copies the borrowed values, because the input ends before the block does.
    #[inline]
    pub(crate) fn keep(&mut self, borrowed: Borrowed<'_>) {
        if let Some(data) = borrowed.data {
            self.data.set(data);
        }
        if let Some(event) = borrowed.event {
            self.event.set(event);
        }
        if let Some(id) = borrowed.id {
            self.id.set(id);
        }
    }

    /// Ends the block and returns `true` if it is an event. If so, [`event`](Self::event) and then
    /// [`clear`](Self::clear) come next.
    #[inline]
    pub(crate) fn end(&mut self, borrowed: &mut Borrowed<'_>) -> bool {
        let is_event = self.data.is_set || borrowed.data.is_some();
        if !is_event {
            self.pass_on_id(borrowed.id, None);
            self.clear();
            *borrowed = Borrowed::default();
        }
        is_event
    }

    /// Returns the event that has ended. Everything borrowed is a part of `read`.
    #[inline]
    pub(crate) fn event<'a>(&'a mut self, borrowed: Borrowed<'a>, read: &'a [u8]) -> Event<'a> {
        // One long piece is checked faster than several short ones.
        let are_several =
            borrowed.data.is_some() && (borrowed.event.is_some() || borrowed.id.is_some());
        let whole = if are_several { utf8(read) } else { None };
        self.pass_on_id(borrowed.id, whole);
        let event = match borrowed.event.or(self.event.get()) {
            None | Some([]) => EventType::MESSAGE,
            Some(_) => self.event.text(borrowed.event, whole),
        };
        Event {
            id: &self.last_event_id,
            event,
            data: self.data.text(borrowed.data, whole),
        }
    }

    #[inline]
    pub(crate) fn clear(&mut self) {
        self.data.clear();
        self.event.clear();
    }

    /// Makes the id of the block, if it has one, the last event id.
    #[inline]
    fn pass_on_id(&mut self, borrowed: Option<&[u8]>, whole: Option<&str>) {
        if borrowed.is_some() || self.id.is_set {
            clear(&mut self.last_event_id);
            self.last_event_id.push_str(self.id.text(borrowed, whole));
            self.id.clear();
        }
    }

    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        [&self.data, &self.event, &self.id]
            .map(|field| field.bytes.capacity() + field.replaced.capacity())
            .iter()
            .sum::<usize>()
            + self.last_event_id.capacity()
    }
}

impl Buffered {
    fn get(&self) -> Option<&[u8]> {
        self.is_set.then_some(&*self.bytes)
    }

    fn set(&mut self, value: &[u8]) {
        self.clear();
        self.bytes.extend_from_slice(value);
        self.is_set = true;
    }

    /// Returns the text of the borrowed value, or else of the buffered one. A borrowed value is a
    /// part of `whole`, if that is known to be text.
    #[inline]
    fn text<'a>(&'a mut self, borrowed: Option<&'a [u8]>, whole: Option<&'a str>) -> &'a str {
        if let (Some(value), Some(whole)) = (borrowed, whole)
            && let Some(text) = part(whole, value)
        {
            return text;
        }
        let bytes = borrowed.unwrap_or(&self.bytes);
        if let Some(text) = utf8(bytes) {
            return text;
        }
        self.is_set = true;
        replace(&mut self.replaced, bytes);
        &self.replaced
    }

    #[inline]
    fn clear(&mut self) {
        if mem::take(&mut self.is_set) {
            self.bytes.clear();
            self.bytes.shrink_to(KEPT_BYTES);
            clear(&mut self.replaced);
        }
    }
}

#[inline]
fn clear(buffer: &mut String) {
    buffer.clear();
    buffer.shrink_to(KEPT_BYTES);
}

/// Returns the bytes as a part of the text that contains them, or `None` if it does not.
#[inline]
fn part<'a>(whole: &'a str, bytes: &[u8]) -> Option<&'a str> {
    let start = bytes.as_ptr().addr().wrapping_sub(whole.as_ptr().addr());
    whole.get(start..start.wrapping_add(bytes.len()))
}

#[cold]
fn replace(text: &mut String, bytes: &[u8]) {
    *text = String::from_utf8_lossy(bytes).into_owned();
}

/// Ids are short: a loop that has no early end, and so is SIMD, beats a search.
#[inline]
fn has_nul(bytes: &[u8]) -> bool {
    bytes
        .iter()
        .map(|&byte| u8::from(byte == 0))
        .fold(0, BitOr::bitor)
        != 0
}
