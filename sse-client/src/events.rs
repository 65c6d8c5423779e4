//! The events of one body, without reconnecting.

use std::{
    fmt,
    io::{ErrorKind, Read},
    iter::FusedIterator,
    ops::ControlFlow,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_core::{Stream, stream::FusedStream};
use http_body::Body;
use http_body_util::BodyDataStream;
use sse_wire::{Decoder, Item, Limits};
use tokio::io::AsyncRead;
use tokio_util::io::ReaderStream;

use crate::{BoxError, Event, ReadError, chunk_decoder::ChunkDecoder, pause::Pause};

/// The data of the event with which LLM servers end an answer.
const DONE: &str = "[DONE]";

/// The most bytes that are read from a reader at once.
const CHUNK_BYTES: usize = 16 << 10;

/// The events of one body, without reconnecting.
///
/// The events of an asynchronous body are a [`Stream`], with [`next`](Self::next) for loops;
/// those of a blocking reader are an [`Iterator`]:
///
/// ```no_run
/// use sse_client::Events;
///
/// let file = std::fs::File::open("recorded.txt")?;
/// for event in Events::from_read(file) {
///     let event = event?;
///     println!("{}: {}", event.event, event.data);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// They end with the body, or after the first error. An event that is unfinished at the end is
/// discarded, as the standard says. A body of text without any event, such as an error as bare
/// JSON, does not end in silence: it is [`ReadError::NoEvents`]. Dropping them drops the body, and
/// with it the request. Memory is bounded by [`limits`](Self::limits).
///
/// `B` is the body, and `C` the type of its chunks.
pub struct Events<B, C = Bytes> {
    body: B,
    decoder: ChunkDecoder<C>,
    until: Until,
    pause: Pause,
    /// Is told that the rest of the body after the last event is of no interest.
    at_done: fn(&mut B),
    /// There has been an event.
    has_returned: bool,
    ended: bool,
}

/// The events of a blocking reader: an iterator, made by [`Events::from_read`].
pub type BlockingEvents<R> = Events<R, Vec<u8>>;

impl<S, C, E> Events<Pin<Box<S>>, C>
where
    S: Stream<Item = Result<C, E>>,
    C: AsRef<[u8]>,
    E: Into<BoxError>,
{
    /// Reads a stream of chunks.
    pub fn from_stream(stream: S) -> Self {
        Self::new(Box::pin(stream))
    }
}

impl<B> Events<Pin<Box<BodyDataStream<B>>>>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    /// Reads an HTTP body.
    pub fn from_body(body: B) -> Self {
        Self::new(Box::pin(BodyDataStream::new(body)))
    }
}

impl<R: AsyncRead> Events<Pin<Box<ReaderStream<R>>>> {
    /// Reads a tokio reader.
    pub fn from_async_read(reader: R) -> Self {
        Self::new(Box::pin(ReaderStream::with_capacity(reader, CHUNK_BYTES)))
    }
}

impl<R: Read> BlockingEvents<R> {
    /// Reads a blocking reader, which needs no buffer.
    pub fn from_read(reader: R) -> Self {
        Self::new(reader)
    }
}

/// Settings, and the last event id.
impl<B, C: AsRef<[u8]>> Events<B, C> {
    /// Sets how much of a line and of an event is kept before the stream is given up.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.decoder.set_limits(limits);
        self
    }

    /// Ends at `data: [DONE]`, as LLM servers end their answers; that event is not returned. A body
    /// that ends without it is [`ReadError::Incomplete`]. The blank line after it may be missing.
    #[must_use]
    pub fn until_done(self) -> Self {
        self.until(DONE)
    }

    /// Ends at an event with this data, apart from white space around it; that event is not
    /// returned. A body that ends without it is [`ReadError::Incomplete`].
    #[must_use]
    pub fn until(mut self, data: impl Into<String>) -> Self {
        self.until = Until::Required(data.into());
        self
    }

    /// Parses the data of each event as JSON, up to `[DONE]` if there is one. Available with
    /// feature `json`.
    ///
    /// To tell a whole answer from one that was cut off, call [`until_done`](Self::until_done)
    /// before.
    #[cfg(feature = "json")]
    #[must_use]
    pub fn json<T>(mut self) -> crate::Json<T, Self> {
        if matches!(self.until, Until::End) {
            self.until = Until::Optional(DONE.to_owned());
        }
        crate::Json::new(self)
    }

    /// Returns the last event id so far, which is the one to resume from. A block without data may
    /// have set it, too. Empty if there is none.
    pub fn last_event_id(&self) -> &str {
        self.decoder.last_event_id()
    }

    pub(crate) fn new(body: B) -> Self {
        Self {
            body,
            decoder: ChunkDecoder::new(Decoder::new()),
            until: Until::default(),
            pause: Pause::default(),
            at_done: |_| {},
            has_returned: false,
            ended: false,
        }
    }

    /// Fails if the body should not have ended here.
    fn end(&self) -> Result<(), ReadError> {
        let found = self.decoder.ignored();
        let last = match &self.until {
            Until::End if self.has_returned => return Ok(()),
            Until::End => None,
            #[cfg(feature = "json")]
            Until::Optional(_) => None,
            Until::Required(last) => Some(last),
        };
        // The blank line is missing after the last event, and nothing else.
        let unfinished = self.decoder.unfinished_data();
        if unfinished.is_some_and(|data| self.until.is(&data)) {
            return Ok(());
        }
        let found = found.into_owned();
        match last {
            Some(last) => Err(ReadError::Incomplete {
                expected: last.clone(),
                found,
            }),
            None if found.is_empty() => Ok(()),
            None => Err(ReadError::NoEvents { text: found }),
        }
    }

    /// Sets what is done with the body after the last event.
    #[cfg(feature = "reqwest")]
    pub(crate) fn at_done(mut self, at_done: fn(&mut B)) -> Self {
        self.at_done = at_done;
        self
    }

    /// Returns the next event of the current chunk, or the end; continues when another chunk is
    /// needed.
    #[inline]
    fn decode(&mut self) -> ControlFlow<Option<Result<Event, ReadError>>> {
        loop {
            match self.decoder.next() {
                Ok(Some(Item::Event(event))) => {
                    self.has_returned = true;
                    let is_end = self.until.is(event.data);
                    return ControlFlow::Break((!is_end).then(|| Ok(event.into())));
                }
                Ok(Some(_)) => {}
                Ok(None) => return ControlFlow::Continue(()),
                Err(error) => return ControlFlow::Break(Some(Err(error.into()))),
            }
        }
    }
}

impl<S, C, E> Events<S, C>
where
    S: Stream<Item = Result<C, E>> + Unpin,
    C: AsRef<[u8]> + Unpin,
    E: Into<BoxError>,
{
    /// Returns the next event, or `None` at the end. Cancelling it loses nothing.
    pub async fn next(&mut self) -> Option<Result<Event, ReadError>> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    #[inline]
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Event, ReadError>>> {
        loop {
            ready!(self.pause.poll_proceed(cx));
            if let ControlFlow::Break(event) = self.decode() {
                if event.is_none() {
                    (self.at_done)(&mut self.body);
                }
                return Poll::Ready(event);
            }
            let Poll::Ready(chunk) = Pin::new(&mut self.body).poll_next(cx) else {
                self.pause.reset();
                return Poll::Pending;
            };
            match chunk {
                Some(chunk) => self.decoder.fill(chunk.map_err(ReadError::body)?),
                None => return Poll::Ready(self.end().err().map(Err)),
            }
        }
    }
}

impl<S, C, E> Stream for Events<S, C>
where
    S: Stream<Item = Result<C, E>> + Unpin,
    C: AsRef<[u8]> + Unpin,
    E: Into<BoxError>,
{
    type Item = Result<Event, ReadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.ended {
            return Poll::Ready(None);
        }
        let event = ready!(this.poll_event(cx));
        this.ended = !matches!(event, Some(Ok(_)));
        Poll::Ready(event)
    }
}

impl<S, C, E> FusedStream for Events<S, C>
where
    S: Stream<Item = Result<C, E>> + Unpin,
    C: AsRef<[u8]> + Unpin,
    E: Into<BoxError>,
{
    fn is_terminated(&self) -> bool {
        self.ended
    }
}

impl<R: Read> BlockingEvents<R> {
    fn read_event(&mut self) -> Option<Result<Event, ReadError>> {
        loop {
            if let ControlFlow::Break(event) = self.decode() {
                return event;
            }
            let mut chunk = self.decoder.take_chunk().unwrap_or_default();
            chunk.resize(CHUNK_BYTES, 0);
            match self.body.read(&mut chunk) {
                Ok(0) => return self.end().err().map(Err),
                Ok(length) => {
                    chunk.truncate(length);
                    self.decoder.fill(chunk);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Some(Err(ReadError::body(error))),
            }
        }
    }
}

impl<R: Read> Iterator for BlockingEvents<R> {
    type Item = Result<Event, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let event = self.read_event();
        self.ended = !matches!(event, Some(Ok(_)));
        event
    }
}

impl<R: Read> FusedIterator for BlockingEvents<R> {}

impl<B, C: fmt::Debug> fmt::Debug for Events<B, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events")
            .field("decoder", &self.decoder)
            .field("until", &self.until)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

/// The data of the event that ends an answer.
#[derive(Debug, Default)]
enum Until {
    /// There is none: the answer ends with its body.
    #[default]
    End,
    /// It may come.
    #[cfg(feature = "json")]
    Optional(String),
    /// It has to come: without it the answer is incomplete.
    Required(String),
}

impl Until {
    /// Returns `true` if this data is that of the last event.
    fn is(&self, data: &str) -> bool {
        match self {
            Self::End => false,
            #[cfg(feature = "json")]
            Self::Optional(last) => last.trim() == data.trim(),
            Self::Required(last) => last.trim() == data.trim(),
        }
    }
}
