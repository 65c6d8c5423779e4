//! Responses that are compressed, whether anyone has asked for that or not.

use std::pin::Pin;

use async_compression::{
    Level,
    tokio::write::{BrotliEncoder, GzipEncoder, ZlibEncoder, ZstdEncoder},
};
use sse_client::{Error, ReadError, read};
use sse_conformance::in_time;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use super::{
    log::{failure, get, next, next_event},
    scripted::{Script, Server},
};

/// The encodings with a decoder in this build.
const KNOWN: &[&str] = &[
    #[cfg(feature = "gzip")]
    "gzip",
    #[cfg(feature = "gzip")]
    "deflate",
    #[cfg(feature = "brotli")]
    "br",
    #[cfg(feature = "zstd")]
    "zstd",
];

/// Returns the pieces of a compressed body: each is flushed, and the last one ends it.
async fn compressed(encoding: &str, pieces: &[&str]) -> Vec<Vec<u8>> {
    let mut ends = Vec::new();
    let mut all = Vec::new();
    // The encoder of a prefix is a prefix of the encoder of the whole: each flush ends a piece.
    for count in 1..=pieces.len() {
        let mut encoder: Pin<Box<dyn AsyncEncoder>> = match encoding {
            "gzip" => Box::pin(GzipEncoder::new(Vec::new())),
            "deflate" => Box::pin(ZlibEncoder::new(Vec::new())),
            "br" => Box::pin(BrotliEncoder::with_quality(Vec::new(), Level::Fastest)),
            _ => Box::pin(ZstdEncoder::new(Vec::new())),
        };
        for piece in &pieces[..count] {
            encoder.write_all(piece.as_bytes()).await.unwrap();
            encoder.flush().await.unwrap();
        }
        all = encoder.bytes().to_vec();
        ends.push(all.len());
        if count == pieces.len() {
            encoder.shutdown().await.unwrap();
            all = encoder.bytes().to_vec();
        }
    }
    let mut start = 0;
    ends.push(all.len());
    let cut = ends.into_iter().map(|end| {
        let piece = all[start..end].to_vec();
        start = end;
        piece
    });
    cut.collect()
}

trait AsyncEncoder: AsyncWrite {
    fn bytes(&self) -> &[u8];
}

macro_rules! encoders {
    ($($encoder:ident)*) => {
        $(impl AsyncEncoder for $encoder<Vec<u8>> {
            fn bytes(&self) -> &[u8] {
                self.get_ref()
            }
        })*
    };
}

encoders!(BrotliEncoder GzipEncoder ZlibEncoder ZstdEncoder);

fn head(encoding: &str) -> Script {
    Script::default().send(format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\
         Content-Encoding: {encoding}\r\nTransfer-Encoding: chunked\r\n\r\n"
    ))
}

#[tokio::test]
async fn each_event_that_is_flushed_is_delivered_before_the_next_is_sent() {
    let large = format!("data: {}\n\n", "x".repeat(1 << 20));
    for encoding in KNOWN {
        let pieces = compressed(encoding, &["data: a\n\n", &large, "data: b\n\n"]).await;
        let script = pieces[..3]
            .iter()
            .fold(head(encoding), |script, piece| script.chunk(piece).gate());
        let server = Server::start([script.chunk(&pieces[3]).end()]).await;
        let mut source = get(server.url("/"));
        assert_eq!(next_event(&mut source).await, "[] message: a", "{encoding}");
        server.go();
        let event = next_event(&mut source).await;
        assert_eq!(event.len(), "[] message: ".len() + (1 << 20), "{encoding}");
        server.go();
        assert_eq!(next_event(&mut source).await, "[] message: b", "{encoding}");
        server.go();
        assert_eq!(
            next(&mut source).await,
            "ended; again in 20ms",
            "{encoding}"
        );
        assert_eq!(next(&mut source).await, "stopped");
    }
}

#[tokio::test]
async fn one_answer_is_decompressed_too() {
    for encoding in KNOWN {
        let pieces = compressed(encoding, &["data: a\n\ndata: b\n\n"]).await;
        // Byte by byte, to cut everything that can be cut.
        let bytes = pieces.concat();
        let script = bytes.chunks(1).fold(head(encoding), Script::chunk).end();
        let server = Server::start([script]).await;
        let mut events = read(reqwest::get(server.url("/")).await.unwrap());
        for data in ["a", "b"] {
            let event = in_time("an event", events.next()).await;
            assert_eq!(event.unwrap().unwrap().data, data, "{encoding}");
        }
        assert!(
            in_time("the end", events.next()).await.is_none(),
            "{encoding}"
        );
    }
}

#[tokio::test]
async fn a_compressed_refusal_has_its_text() {
    for encoding in KNOWN {
        let body = compressed(encoding, &["no such key"]).await.concat();
        let head = format!(
            "HTTP/1.1 401 Unauthorized\r\nContent-Encoding: {encoding}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let server = Server::start([Script::default().send(head).send(body)]).await;
        let error = failure(get(server.url("/"))).await;
        assert!(error.to_string().ends_with(": no such key"), "{error}");
    }
}

#[tokio::test]
async fn a_body_that_is_cut_within_its_compression_is_an_error() {
    for encoding in KNOWN {
        let body = compressed(encoding, &["data: a\n\n", "data: b\n\n"]).await;
        let server = Server::start([head(encoding).chunk(&body[0]).end()]).await;
        let mut events = read(reqwest::get(server.url("/")).await.unwrap());
        let event = in_time("an event", events.next()).await;
        assert_eq!(event.unwrap().unwrap().data, "a", "{encoding}");
        let error = in_time("an error", events.next())
            .await
            .unwrap()
            .unwrap_err();
        assert!(matches!(error, ReadError::Body(_)), "{encoding}: {error:?}");
    }
}

#[tokio::test]
async fn an_encoding_without_a_decoder_is_refused_by_name() {
    let unknown = ["gzip", "deflate", "br", "zstd", "compress", "gzip, br"];
    for encoding in unknown.iter().filter(|name| !KNOWN.contains(name)) {
        let script = || head(encoding).chunk("\u{1}\u{2}").end();
        let server = Server::start([script(), script()]).await;
        let error = failure(get(server.url("/"))).await;
        assert!(matches!(error, Error::Refused(_)), "{error:?}");
        let named = format!("the content encoding {encoding:?}");
        assert!(error.to_string().contains(&named), "{error}");
        let mut events = read(reqwest::get(server.url("/")).await.unwrap());
        let error = events.next().await.unwrap().unwrap_err();
        assert!(error.to_string().contains(&named), "{error}");
        assert_eq!(server.requests().len(), 2);
    }
}

#[tokio::test]
async fn identity_is_no_encoding() {
    let script = head("identity").chunk("data: a\n\n").end();
    let server = Server::start([script]).await;
    assert_eq!(next_event(&mut get(server.url("/"))).await, "[] message: a");
}
