//! A response that is not an event stream, and the beginning of its text.

use std::{
    error, fmt,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER},
};
use http_body::Body;
use http_body_util::BodyExt as _;
use sse_wire::is_event_stream;
use tokio::time::timeout;

/// The most bytes of the text that are kept.
const TEXT_BYTES: usize = 16 << 10;

/// The most characters of the text that are displayed.
const DISPLAYED_CHARS: usize = 500;

/// The time limit for the text: it might go on for ever.
const PATIENCE: Duration = Duration::from_secs(2);

/// A response that is not the event stream that was asked for: it has another status or another
/// content type.
///
/// As an error it displays the status, the content type if that is the reason, and the beginning of
/// the text in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refused {
    /// The status.
    pub status: StatusCode,
    /// The `Content-Type` header, if there was one.
    pub content_type: Option<String>,
    /// The text of the body: its first 16 KiB, or as much of them as arrived within two seconds.
    pub text: String,
    /// The wait that the server asks for by `Retry-After`.
    pub retry_after: Option<Duration>,
}

impl Refused {
    /// Reads the text of a response. An error of the body counts as its end.
    pub(crate) async fn read<B>(status: StatusCode, headers: &HeaderMap, mut body: B) -> Self
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let content_type = headers.get(CONTENT_TYPE);
        let content_type =
            content_type.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let retry_after = headers.get(RETRY_AFTER);
        let retry_after = retry_after.and_then(|value| delay(value, SystemTime::now()));
        let mut text = Vec::new();
        let reading = async {
            while text.len() < TEXT_BYTES
                && let Some(Ok(frame)) = body.frame().await
            {
                let chunk = frame.into_data().unwrap_or_default();
                let length = chunk.len().min(TEXT_BYTES - text.len());
                text.extend_from_slice(&chunk[..length]);
            }
        };
        // What has arrived until then is the text.
        let _ = timeout(PATIENCE, reading).await;
        Self {
            status,
            content_type,
            text: String::from_utf8_lossy(&text).into_owned(),
            retry_after,
        }
    }
}

/// Returns `true` if the headers are those of an event stream.
pub(crate) fn has_event_stream_type(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE);
    content_type.is_some_and(|value| is_event_stream(value.as_bytes()))
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server answered {}", self.status)?;
        let content_type = self.content_type.as_deref();
        let has_other_type = !content_type.is_some_and(|value| is_event_stream(value.as_bytes()));
        if self.status.is_success() && has_other_type {
            let content_type = content_type.unwrap_or("no content type");
            write!(f, " with {content_type}, not an event stream")?;
        }
        let mut words = self.text.split_whitespace().peekable();
        if words.peek().is_some() {
            let line = words.collect::<Vec<_>>().join(" ");
            write!(f, ": {line:.DISPLAYED_CHARS$}")?;
        }
        Ok(())
    }
}

impl error::Error for Refused {}

/// Parses the value of `Retry-After`: seconds, or a date. `None` if it is neither.
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

    #[test]
    fn the_reason_stands_before_the_text_and_all_in_one_line() {
        let html = "\n<html>\r\n  <h1>Nothing</h1>\n";
        for (status, content_type, text, expected) in [
            (404, None, "", "the server answered 404 Not Found"),
            (
                404,
                Some("text/html"),
                html,
                "the server answered 404 Not Found: <html> <h1>Nothing</h1>",
            ),
            (
                200,
                Some("text/html"),
                " \n",
                "the server answered 200 OK with text/html, not an event stream",
            ),
            (
                200,
                None,
                "hello",
                "the server answered 200 OK with no content type, not an event stream: hello",
            ),
            (
                201,
                Some("text/event-stream"),
                "data: a\n\n",
                "the server answered 201 Created: data: a",
            ),
        ] {
            let refused = Refused {
                status: StatusCode::from_u16(status).unwrap(),
                content_type: content_type.map(str::to_owned),
                text: text.to_owned(),
                retry_after: None,
            };
            assert_eq!(refused.to_string(), expected);
        }
    }
}
