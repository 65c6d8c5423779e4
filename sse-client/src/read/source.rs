//! What [`read`](super::read) takes.

use bytes::Bytes;
use futures_core::Stream;
use http_body::Body;
use http_body_util::BodyDataStream;
use tokio::io::AsyncRead;
use tokio_util::io::ReaderStream;

use super::{BlockingEvents, Events};
use crate::BoxError;

/// How much is asked for at once.
const CHUNK: usize = 16 << 10;

/// A body that events can be read from. `Kind` says by which of its traits; it is inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a body that events can be read from",
    label = "neither a `Stream` of `Result<Bytes, _>`, nor an `http_body::Body`, `AsyncRead` or `Read`"
)]
pub trait Source<Kind> {
    /// The events of it.
    type Events;

    /// Begins to read.
    fn events(self) -> Self::Events;
}

/// Read by its `Stream` of bytes.
#[derive(Debug)]
pub enum ByStream {}

/// Read by its [`Body`].
#[derive(Debug)]
pub enum ByBody {}

/// Read by its [`AsyncRead`].
#[derive(Debug)]
pub enum ByAsyncRead {}

/// Read by its [`Read`](std::io::Read).
#[derive(Debug)]
pub enum ByRead {}

impl<S, C, E> Source<ByStream> for S
where
    S: Stream<Item = Result<C, E>>,
    C: AsRef<[u8]>,
    E: Into<BoxError>,
{
    type Events = Events<S, C>;

    fn events(self) -> Self::Events {
        Events::new(self)
    }
}

impl<B> Source<ByBody> for B
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Events = Events<BodyDataStream<B>>;

    fn events(self) -> Self::Events {
        Events::new(BodyDataStream::new(self))
    }
}

impl<R: AsyncRead> Source<ByAsyncRead> for R {
    type Events = Events<ReaderStream<R>>;

    fn events(self) -> Self::Events {
        Events::new(ReaderStream::with_capacity(self, CHUNK))
    }
}

impl<R: std::io::Read> Source<ByRead> for R {
    type Events = BlockingEvents<R>;

    fn events(self) -> Self::Events {
        BlockingEvents::with_capacity(CHUNK, self)
    }
}

/// Read as an answer to a request. Available with feature `reqwest`.
#[cfg(feature = "reqwest")]
#[derive(Debug)]
pub enum ByResponse {}

#[cfg(feature = "reqwest")]
impl Source<ByResponse> for reqwest::Response {
    type Events = Events<super::ResponseBody>;

    fn events(self) -> Self::Events {
        Events::new(super::ResponseBody::new(self))
    }
}
