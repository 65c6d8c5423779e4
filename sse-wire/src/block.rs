//! What the lines between two blank ones say, on its way to an event.

use std::{mem, ops::BitOr};

use crate::field::EventType;
use crate::{
    item::Event,
    limits::{DecodeError, Limits},
    line::utf8,
};

/// What an emptied buffer keeps. One huge event must not stay in memory for as long as a connection
/// lasts, and what is usual must not be allocated anew each time.
pub(crate) const KEPT_BYTES: usize = 64 << 10;

/// The current block, as far as it does not stand in the input; and the last event id of the stream.
#[derive(Debug, Default)]
pub(crate) struct Block {
    data: Held,
    event: Held,
    id: Held,
    last_event_id: String,
}

/// What lines of the current block say that stand in the input. It is younger than what the [`Block`]
/// holds, and is copied only if the block does not end in this input.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lent<'input> {
    data: Option<&'input [u8]>,
    event: Option<&'input [u8]>,
    id: Option<&'input [u8]>,
}

/// The value of a field, in bytes until the block ends: to check it as a whole is faster than by the line.
#[derive(Debug, Default)]
struct Held {
    bytes: Vec<u8>,
    is_set: bool,
    /// The text, where the bytes were not UTF-8.
    replaced: String,
}

impl Block {
    pub(crate) fn last_event_id(&self) -> &str {
        &self.last_event_id
    }

    pub(crate) fn start_from(&mut self, last_event_id: String) {
        self.last_event_id = last_event_id;
    }

    #[inline]
    pub(crate) fn add_data<'input>(
        &mut self,
        value: &'input [u8],
        lent: &mut Lent<'input>,
        limits: Limits,
    ) -> Result<(), DecodeError> {
        if !self.data.is_set && lent.data.is_none() {
            limits.check_event(value.len())?;
            lent.data = Some(value);
            return Ok(());
        }
        if let Some(first) = lent.data.take() {
            self.data.set(first);
        }
        limits.check_event(self.data.bytes.len() + 1 + value.len())?;
        self.data.bytes.push(b'\n');
        self.data.bytes.extend_from_slice(value);
        Ok(())
    }

    #[inline]
    pub(crate) fn set_event<'input>(value: &'input [u8], lent: &mut Lent<'input>) {
        lent.event = Some(value);
    }

    #[inline]
    pub(crate) fn set_id<'input>(value: &'input [u8], lent: &mut Lent<'input>) {
        if !has_nul(value) {
            lent.id = Some(value);
        }
    }

    /// The input ends, or what is lent from it, and the block goes on.
    #[inline]
    pub(crate) fn keep(&mut self, lent: Lent<'_>) {
        if let Some(data) = lent.data {
            self.data.set(data);
        }
        if let Some(event) = lent.event {
            self.event.set(event);
        }
        if let Some(id) = lent.id {
            self.id.set(id);
        }
    }

    /// The block has ended; says whether it is an event. If so, [`event`](Self::event) and then
    /// [`clear`](Self::clear) come next.
    #[inline]
    pub(crate) fn end(&mut self, lent: &mut Lent<'_>) -> bool {
        let is_event = self.data.is_set || lent.data.is_some();
        if !is_event {
            self.pass_on_id(lent.id, None);
            self.clear();
            *lent = Lent::default();
        }
        is_event
    }

    /// The event that has ended. Everything lent stands in `read`.
    #[inline]
    pub(crate) fn event<'a>(&'a mut self, lent: Lent<'a>, read: &'a [u8]) -> Event<'a> {
        // One long piece is checked faster than several short ones.
        let are_several = lent.data.is_some() && (lent.event.is_some() || lent.id.is_some());
        let whole = if are_several { utf8(read) } else { None };
        self.pass_on_id(lent.id, whole);
        let event = match lent.event.or(self.event.get()) {
            None | Some([]) => EventType::MESSAGE,
            Some(_) => self.event.text(lent.event, whole),
        };
        Event {
            id: &self.last_event_id,
            event,
            data: self.data.text(lent.data, whole),
        }
    }

    #[inline]
    pub(crate) fn clear(&mut self) {
        self.data.clear();
        self.event.clear();
    }

    /// The id of the block, if it has one, is the last event id from its end on.
    #[inline]
    fn pass_on_id(&mut self, lent: Option<&[u8]>, whole: Option<&str>) {
        if lent.is_some() || self.id.is_set {
            clear(&mut self.last_event_id);
            self.last_event_id.push_str(self.id.text(lent, whole));
            self.id.clear();
        }
    }

    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        [&self.data, &self.event, &self.id]
            .map(|held| held.bytes.capacity() + held.replaced.capacity())
            .iter()
            .sum::<usize>()
            + self.last_event_id.capacity()
    }
}

impl Held {
    fn get(&self) -> Option<&[u8]> {
        self.is_set.then_some(&self.bytes)
    }

    fn set(&mut self, value: &[u8]) {
        self.clear();
        self.bytes.extend_from_slice(value);
        self.is_set = true;
    }

    /// The text of what is lent, or else of what is held. What is lent stands in `whole`, if that is known to be text.
    #[inline]
    fn text<'a>(&'a mut self, lent: Option<&'a [u8]>, whole: Option<&'a str>) -> &'a str {
        if let (Some(value), Some(whole)) = (lent, whole)
            && let Some(text) = part(whole, value)
        {
            return text;
        }
        let bytes = lent.unwrap_or(&self.bytes);
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

/// The bytes as a part of the text in which they stand; nothing if they do not.
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
