//! The decoder of `sse-core`, fed chunk by chunk.

use sse_wire::{DecodeError, Decoder, Item, Limits};

use crate::seen::{Decoded, Seen};

/// Returns everything that comes out of the chunks, and the error that ended it, if any.
pub(crate) fn decode<'a>(
    chunks: impl IntoIterator<Item = &'a [u8]>,
    limits: Limits,
) -> (Decoded, Option<DecodeError>) {
    let mut decoder = Decoder::new().limits(limits);
    let mut items = Vec::new();
    let mut error = None;
    let mut fed = 0;
    'stream: for chunk in chunks {
        let mut input = chunk;
        loop {
            match decoder.next(&mut input) {
                Ok(Some(item)) => items.push((fed + chunk.len() - input.len(), item.into())),
                Ok(None) => break,
                Err(first) => {
                    assert_stays(&mut decoder, &first);
                    error = Some(first);
                    break 'stream;
                }
            }
        }
        assert!(input.is_empty(), "all input is read");
        fed += chunk.len();
    }
    let last_event_id = decoder.last_event_id().to_owned();
    let all = Decoded {
        items,
        last_event_id,
    };
    (all, error)
}

impl From<Item<'_>> for Seen {
    fn from(item: Item<'_>) -> Self {
        match item {
            Item::Event(event) => Self::Event {
                id: event.id.to_owned(),
                event: event.event.to_owned(),
                data: event.data.to_owned(),
            },
            Item::Comment(text) => Self::Comment(text.into_owned()),
            Item::Retry(time) => Self::Retry(time.as_millis().try_into().unwrap()),
            other => panic!("an item that this test does not know: {other:?}"),
        }
    }
}

/// Checks that a decoder that gave up gives out nothing more, for any input.
fn assert_stays(decoder: &mut Decoder, error: &DecodeError) {
    for mut input in [&b"\n\ndata: a\n\n"[..], b"", b": a\n"] {
        assert_eq!(decoder.next(&mut input).as_ref(), Err(error));
    }
}
