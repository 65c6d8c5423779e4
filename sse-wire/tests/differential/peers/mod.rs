//! Decoders that people use, made comparable.

mod differences;
mod heard;

use std::convert::Infallible;
use std::iter;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use eventsource_stream::EventStream;
use futures_util::{Stream, StreamExt as _, stream};
use sse_stream::SseByteStream;
use sse_wire::Limits;
use tokio_util::codec::Decoder as _;

use crate::corpus::Case;
use crate::cuts::{every_cut, lengths};
use crate::ours;
pub(crate) use differences::DIFFERENCES;
use heard::{Block, Heard, Listener};

/// A decoder that people use.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    /// Returns its output for these chunks.
    hear: fn(&[&[u8]], After) -> Heard,
    /// `true` if it can tell empty data from none.
    knows_empty_data: bool,
}

pub(crate) const PEERS: &[Peer] = &[
    Peer {
        name: "eventsource-stream",
        hear: eventsource_stream,
        knows_empty_data: true,
    },
    Peer {
        name: "russe",
        hear: russe,
        knows_empty_data: false,
    },
    Peer {
        name: "sse-stream",
        hear: sse_stream,
        knows_empty_data: true,
    },
];

/// The event that follows the last chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    /// Silence: everything that has arrived has to be given out.
    Nothing,
    /// The end of the body: an unfinished event has to be discarded.
    End,
}

/// Longer streams are not cut into three: the peers are slow in a debug build.
const SHORT: usize = 20;

impl Peer {
    /// Returns the first cut for which the peer and our decoder differ, if there is one.
    pub(crate) fn difference(&self, case: &Case) -> Option<String> {
        let (ours, _) = ours::decode([&case.stream[..]], Limits::default());
        let ours = self.comparable(Heard::new(ours.items));
        every_cut(&case.stream, SHORT).find_map(|cut| {
            [After::Nothing, After::End].into_iter().find_map(|after| {
                let heard = catch_unwind(AssertUnwindSafe(|| (self.hear)(&cut, after)));
                let theirs = self.comparable(heard.unwrap_or_else(|_| Heard::failed("panic")));
                (theirs != ours).then(|| {
                    let (name, case, lengths) = (self.name, case.name, lengths(&cut));
                    format!(
                        "{name}: {case}, cut into {lengths:?}, then {after:?}: {theirs:?}, not {ours:?}"
                    )
                })
            })
        })
    }

    fn comparable(&self, heard: Heard) -> Heard {
        if self.knows_empty_data {
            heard
        } else {
            heard.without_empty_data()
        }
    }
}

fn eventsource_stream(chunks: &[&[u8]], after: After) -> Heard {
    let events = pin!(EventStream::new(body(chunks, after)));
    Listener::listen(arrived(events), |listener, event| {
        listener.retry(event.retry);
        listener.event(&event.id, &event.event, &event.data);
    })
}

fn russe(chunks: &[&[u8]], after: After) -> Heard {
    let mut decoder = russe::Decoder::default();
    let mut buffer = BytesMut::new();
    let mut chunks = chunks.iter();
    let events = iter::from_fn(|| {
        loop {
            if let Some(event) = decoder.decode(&mut buffer).transpose() {
                return Some(event);
            }
            match chunks.next() {
                Some(chunk) => buffer.extend_from_slice(chunk),
                None if after == After::Nothing => return None,
                None => return decoder.decode_eof(&mut buffer).transpose(),
            }
        }
    });
    Listener::listen(events, |listener, event| match event {
        russe::Event::Message(block) => listener.block(&Block {
            id: block.id.as_deref(),
            event: block.event.as_deref(),
            data: Some(&block.data),
            retry: block.retry,
        }),
        russe::Event::Retry(time) => listener.retry(Some(time)),
        russe::Event::Comment(_) => {}
    })
}

fn sse_stream(chunks: &[&[u8]], after: After) -> Heard {
    let blocks = pin!(SseByteStream::new(body(chunks, after)));
    Listener::listen(arrived(blocks), |listener, block| {
        listener.block(&Block {
            id: block.id.as_deref(),
            event: block.event.as_deref(),
            data: block.data.as_deref(),
            retry: block.retry.map(Duration::from_millis),
        });
    })
}

/// Returns the chunks as the body of a response.
fn body(chunks: &[&[u8]], after: After) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let chunks: Vec<_> = chunks
        .iter()
        .map(|chunk| Ok(Bytes::copy_from_slice(chunk)))
        .collect();
    let rest = stream::poll_fn(move |_| match after {
        After::Nothing => Poll::Pending,
        After::End => Poll::Ready(None),
    });
    stream::iter(chunks).chain(rest)
}

/// Returns the items that a stream gives without waiting.
fn arrived<S: Stream + Unpin>(mut stream: S) -> impl Iterator<Item = S::Item> {
    iter::from_fn(
        move || match stream.poll_next_unpin(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(item) => item,
            Poll::Pending => None,
        },
    )
}
