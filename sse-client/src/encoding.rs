//! The content encodings of a response: its body as it was before it was compressed.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

#[cfg(feature = "brotli")]
use async_compression::tokio::bufread::BrotliDecoder;
#[cfg(feature = "zstd")]
use async_compression::tokio::bufread::ZstdDecoder;
#[cfg(feature = "gzip")]
use async_compression::tokio::bufread::{GzipDecoder, ZlibDecoder};
use bytes::Bytes;
use futures_core::Stream;
use http::{HeaderMap, header::CONTENT_ENCODING};
use http_body::Body;
use http_body_util::{BodyDataStream, BodyExt as _, combinators::MapErr};
#[cfg(any(feature = "gzip", feature = "brotli", feature = "zstd"))]
use tokio_util::io::{ReaderStream, StreamReader};

use crate::BoxError;

/// The chunks of a body, decompressed. Each is returned as soon as it can be: an event that the
/// server has flushed does not wait for the next one.
pub(crate) enum Decoded<B>
where
    B: Body<Data = Bytes>,
{
    Plain(Chunks<B>),
    #[cfg(feature = "gzip")]
    Gzip(Box<ReaderStream<GzipDecoder<Reader<B>>>>),
    /// HTTP's `deflate` is what others call zlib.
    #[cfg(feature = "gzip")]
    Zlib(Box<ReaderStream<ZlibDecoder<Reader<B>>>>),
    #[cfg(feature = "brotli")]
    Brotli(Box<ReaderStream<BrotliDecoder<Reader<B>>>>),
    #[cfg(feature = "zstd")]
    Zstd(Box<ReaderStream<ZstdDecoder<Reader<B>>>>),
}

type Chunks<B> = BodyDataStream<MapErr<B, fn(<B as Body>::Error) -> io::Error>>;

#[cfg(any(feature = "gzip", feature = "brotli", feature = "zstd"))]
type Reader<B> = StreamReader<Chunks<B>, Bytes>;

impl<B> Decoded<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    /// Decodes the body of a response with these headers, or returns the encoding for which there
    /// is no decoder in this build.
    pub(crate) fn new(headers: &HeaderMap, body: B) -> Result<Self, String> {
        let encodings = encodings(headers);
        let to_io: fn(B::Error) -> io::Error = |error| io::Error::other(error);
        let chunks = BodyDataStream::new(body.map_err(to_io));
        match encodings.as_str() {
            "" => Ok(Self::Plain(chunks)),
            #[cfg(feature = "gzip")]
            "gzip" | "x-gzip" => {
                let mut decoder = GzipDecoder::new(StreamReader::new(chunks));
                // Some servers begin another member instead of flushing.
                decoder.multiple_members(true);
                Ok(Self::Gzip(Box::new(ReaderStream::new(decoder))))
            }
            #[cfg(feature = "gzip")]
            "deflate" => {
                let decoder = ZlibDecoder::new(StreamReader::new(chunks));
                Ok(Self::Zlib(Box::new(ReaderStream::new(decoder))))
            }
            #[cfg(feature = "brotli")]
            "br" => {
                let decoder = BrotliDecoder::new(StreamReader::new(chunks));
                Ok(Self::Brotli(Box::new(ReaderStream::new(decoder))))
            }
            #[cfg(feature = "zstd")]
            "zstd" => {
                let mut decoder = ZstdDecoder::new(StreamReader::new(chunks));
                decoder.multiple_members(true);
                Ok(Self::Zstd(Box::new(ReaderStream::new(decoder))))
            }
            _ => Err(encodings),
        }
    }
}

/// Returns the encodings in lower case, in the order in which they were applied, without
/// `identity`.
fn encodings(headers: &HeaderMap) -> String {
    let values = headers.get_all(CONTENT_ENCODING).iter();
    let values = values.map(|value| String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase());
    let all = values.collect::<Vec<_>>().join(",");
    let names = all.split(',').map(str::trim);
    let names = names.filter(|name| !matches!(*name, "" | "identity"));
    names.collect::<Vec<_>>().join(", ")
}

/// Says what can be done about an encoding for which there is no decoder.
pub(crate) fn advice(encoding: &str) -> &'static str {
    match encoding {
        "gzip" | "x-gzip" | "deflate" => "enable the feature `gzip` of sse-client",
        "br" => "enable the feature `brotli` of sse-client",
        "zstd" => "enable the feature `zstd` of sse-client",
        _ => "gzip, deflate, br and zstd can be, one at a time",
    }
}

impl<B> Stream for Decoded<B>
where
    B: Body<Data = Bytes> + Unpin,
{
    type Item = Result<Bytes, BoxError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let chunk = match self.get_mut() {
            Self::Plain(body) => Pin::new(body).poll_next(cx),
            #[cfg(feature = "gzip")]
            Self::Gzip(body) => Pin::new(&mut **body).poll_next(cx),
            #[cfg(feature = "gzip")]
            Self::Zlib(body) => Pin::new(&mut **body).poll_next(cx),
            #[cfg(feature = "brotli")]
            Self::Brotli(body) => Pin::new(&mut **body).poll_next(cx),
            #[cfg(feature = "zstd")]
            Self::Zstd(body) => Pin::new(&mut **body).poll_next(cx),
        };
        chunk.map(|chunk| chunk.map(|chunk| chunk.map_err(unwrapped)))
    }
}

/// Returns the error of the body that an I/O error was made of, or the error of a decoder.
fn unwrapped(error: io::Error) -> BoxError {
    if error.get_ref().is_none() {
        return error.into();
    }
    let text = error.to_string();
    error.into_inner().unwrap_or_else(|| text.into())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn encodings_are_listed_over_all_headers() {
        for (values, expected) in [
            (&[][..], ""),
            (&["", "identity", "Identity , "], ""),
            (&["GZIP"], "gzip"),
            (&["identity, gzip"], "gzip"),
            (&["deflate", "br"], "deflate, br"),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CONTENT_ENCODING, HeaderValue::from_static(value));
            }
            assert_eq!(encodings(&headers), expected);
        }
    }
}
