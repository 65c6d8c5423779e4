//! `SseHeaders`, the fairing for handlers that write their own stream.

use rocket::{
    Request, Response,
    fairing::{Fairing, Info, Kind},
};
use sse_core::response::missing_headers;

/// Gives the headers of an event stream to handlers that write their own stream.
///
/// A response with status 200 and the media type of an event stream, or a stream without a media
/// type, is completed. Headers that the handler has set are kept, and every other response is left
/// alone, as a fairing sees them all: Rocket gives a media type to most, and `()` and files, which
/// have none, are no streams.
///
/// ```
/// use std::io::Cursor;
///
/// use rocket::{get, response::stream::ReaderStream, routes};
/// use sse_rocket::SseHeaders;
///
/// #[get("/status")]
/// fn status() -> ReaderStream![Cursor<&'static str>] {
///     ReaderStream::one(Cursor::new("data: ok\n\n"))
/// }
///
/// let app = rocket::build()
///     .attach(SseHeaders)
///     .mount("/", routes![status]);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SseHeaders;

#[rocket::async_trait]
impl Fairing for SseHeaders {
    fn info(&self) -> Info {
        Info {
            name: "headers of event streams",
            kind: Kind::Response | Kind::Singleton,
        }
    }

    async fn on_response<'r>(&self, _request: &'r Request<'_>, response: &mut Response<'r>) {
        if response.content_type().is_none() && response.body_mut().size().await.is_some() {
            return;
        }
        // Rocket has no compressor.
        let missing = missing_headers(response.status().code, false, |name| {
            response.headers().get_one(name).map(str::as_bytes)
        });
        for (name, value) in missing {
            response.set_raw_header(name, value);
        }
    }
}
