//! `sse_headers`, the wrapper for filters that write their own stream.

use sse_core::response::missing_headers;
use warp::{Filter, Reply, http::HeaderValue, reply::Response};

/// Gives the headers of an event stream to filters that write their own.
///
/// A reply with status 200 and no media type, or that of an event stream, is completed. What the
/// filter has set is kept, and every other reply is left alone.
///
/// ```
/// use sse_warp::sse_headers;
/// use warp::{Filter, http::Response};
///
/// let app = warp::path!("status")
///     .map(|| Response::new("data: ok\n\n"))
///     .with(warp::wrap_fn(sse_headers));
/// ```
///
/// warp gives plain text its media type: a `&str` or `String` as a reply is not an event stream and left alone.
#[doc(alias = "SseHeaders")]
pub fn sse_headers<F, R>(filter: F) -> impl Filter<Extract = (Response,), Error = F::Error> + Clone
where
    F: Filter<Extract = (R,)> + Clone,
    R: Reply,
{
    filter.map(|reply: R| {
        let mut response = reply.into_response();
        // No header keeps warp's compressors away.
        let missing = missing_headers(response.status().as_u16(), false, |name| {
            response.headers().get(name).map(HeaderValue::as_bytes)
        });
        for (name, value) in missing {
            response
                .headers_mut()
                .insert(name, HeaderValue::from_static(value));
        }
        response
    })
}
