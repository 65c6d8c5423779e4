//! `sse_headers`, the wrapper for filters that write their own stream.

use sse_core::response::fill_headers;
use warp::{Filter, Reply, reply::Response};

/// Gives the headers of an event stream to filters that write their own stream.
///
/// A reply with status 200 and no media type, or that of an event stream, is completed. Headers
/// that the filter has set are kept, and every other reply is left alone.
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
/// warp gives plain text its media type: a `&str` or `String` as a reply is not an event stream,
/// and is left alone.
#[doc(alias = "SseHeaders")]
pub fn sse_headers<F, R>(filter: F) -> impl Filter<Extract = (Response,), Error = F::Error> + Clone
where
    F: Filter<Extract = (R,)> + Clone,
    R: Reply,
{
    filter.map(|reply: R| {
        let mut response = reply.into_response();
        // No header keeps warp's compressors away.
        fill_headers(response.status(), response.headers_mut());
        response
    })
}
