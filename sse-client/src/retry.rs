//! Policies for [`EventSource::retry_on`](crate::EventSource::retry_on): the statuses that are
//! worth another attempt.
//!
//! A policy is asked about every status but 200, 204 and redirects. 204 No Content always ends the
//! stream: it is how a server asks its clients to stay away.

use http::StatusCode;

/// The default: the statuses of a proxy or a server that restarts or is overloaded, which are 408,
/// 425, 429, 500, 502, 503 and 504.
pub fn transient(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 425 | 429 | 500 | 502..=504)
}

/// The rule of the standard: no status is worth another attempt, and any but 200 ends the stream
/// for good.
pub fn standard(_: StatusCode) -> bool {
    false
}
