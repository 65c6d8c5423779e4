//! One attempt: from a request to an open stream.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{
    HeaderValue, Response, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER},
};
use sse_wire::is_event_stream;
use tokio::time::timeout;
use url::Url;

use super::{
    Error, Open, Redirect,
    config::Config,
    redirect::{follow, is_redirect},
    request::{Attempt, complete},
};
use crate::Body;

/// A response that is an event stream.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) open: Open,
    pub(super) body: Body,
    /// The id that the request began from.
    pub(super) last_event_id: String,
}

/// Connects, and follows redirects. Dropping the future ends the request.
pub(super) async fn connect(
    config: &Config,
    failures: u32,
    last_event_id: Option<String>,
) -> Result<Connection, Error> {
    let attempt = Attempt {
        failures,
        last_event_id: last_event_id.clone().unwrap_or_default(),
    };
    let mut request = config.build(attempt).await?;
    let last_event_id = complete(request.headers_mut(), last_event_id)?;
    let mut url = Url::parse(&request.uri().to_string())
        .map_err(|error| Error::Request(format!("the URL {}: {error}", request.uri()).into()))?;
    for _ in 0..=config.max_redirects {
        let response = send(config, request.clone()).await?;
        let status = response.status();
        if !is_redirect(status) {
            return accept(response, url, last_event_id);
        }
        url = follow(&mut request, &url, status, response.headers())?;
    }
    let limit = config.max_redirects;
    Err(Redirect::TooMany { limit }.into())
}

/// Without a head in time the connection is idle, too.
async fn send(config: &Config, request: http::Request<Bytes>) -> Result<Response<Body>, Error> {
    let response = config.transport()?.send(request);
    let response = match config.idle_timeout {
        Some(after) => timeout(after, response)
            .await
            .map_err(|_| Error::Idle { after })?,
        None => response.await,
    };
    response.map_err(Error::Connect)
}

fn accept(response: Response<Body>, url: Url, last_event_id: String) -> Result<Connection, Error> {
    let status = response.status();
    if status != StatusCode::OK {
        let retry_after = response.headers().get(RETRY_AFTER);
        return Err(Error::Status {
            status,
            retry_after: retry_after.and_then(|value| delay(value, SystemTime::now())),
        });
    }
    let content_type = response.headers().get(CONTENT_TYPE);
    if !content_type.is_some_and(|value| is_event_stream(value.as_bytes())) {
        let found = content_type.map(|value| String::from_utf8_lossy(value.as_bytes()).into());
        return Err(Error::ContentType { found });
    }
    let (mut head, body) = response.into_parts();
    Ok(Connection {
        open: Open {
            // A transport that has followed redirects itself knows better.
            url: head.extensions.remove().unwrap_or(url),
            status,
            headers: head.headers,
        },
        body,
        last_event_id,
    })
}

/// The value of `Retry-After`: seconds, or a date. Nothing if it is neither.
fn delay(value: &HeaderValue, now: SystemTime) -> Option<Duration> {
    let value = value.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = UNIX_EPOCH + Duration::from_secs(784_111_777 - 90);
        for (value, expected) in [
            ("120", Some(120)),
            ("0", Some(0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(90)),
            ("Sun, 06 Nov 1994 08:40:00 GMT", Some(0)),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("99999999999999999999999", None),
        ] {
            let delay = delay(&HeaderValue::from_static(value), now);
            assert_eq!(delay, expected.map(Duration::from_secs), "{value}");
        }
    }
}
