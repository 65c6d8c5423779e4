//! Which statuses are worth another attempt: policies for [`EventSource::retry_on`](crate::EventSource::retry_on).
//!
//! A policy is asked about every status but 200, 204 and redirects. 204 No Content always ends the stream: it is how
//! a server asks its clients to stay away.

use http::StatusCode;

/// Those that a proxy or a server gives while it restarts or is overloaded: 408, 425, 429, 500, 502, 503, 504. The default.
pub fn transient(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 425 | 429 | 500 | 502..=504)
}

/// None, as the standard has it: whatever is not 200 ends the stream for good.
pub fn standard(_: StatusCode) -> bool {
    false
}
