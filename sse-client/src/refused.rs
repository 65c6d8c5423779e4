//! A response that is not an event stream, and the beginning of its text.

use std::{
    error, fmt,
    future::poll_fn,
    pin::Pin,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use futures_core::Stream as _;
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
};
use http_body::Body;
use sse_wire::is_event_stream;
use tokio::time::timeout;

use crate::{
    BoxError,
    encoding::{Decoded, advice},
};

/// The most bytes of the text that are kept.
const TEXT_BYTES: usize = 16 << 10;

/// The most characters of the text that are displayed.
const DISPLAYED_CHARS: usize = 500;

/// The time limit for the text: it might go on for ever.
const PATIENCE: Duration = Duration::from_secs(2);

/// The headers that are displayed: they say what to do, or by which name the server's operator
/// knows the request.
const DISPLAYED: [HeaderName; 4] = [
    WWW_AUTHENTICATE,
    RETRY_AFTER,
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static("request-id"),
];

/// A response that is not the event stream that was asked for: it has another status, another
/// content type, or an encoding for which there is no decoder.
///
/// As an error it displays the status, the content type or the encoding if that is the reason, the
/// headers `WWW-Authenticate`, `Retry-After`, `X-Request-Id` and `Request-Id`, and the beginning of
/// the text in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refused {
    /// The status.
    pub status: StatusCode,
    /// The headers, such as `WWW-Authenticate` or the server's id of the request.
    pub headers: Box<HeaderMap>,
    /// The content encoding, if there is no decoder for it; then there is no text.
    pub unknown_encoding: Option<String>,
    /// The text of the body: its first 16 KiB, or as much of them as arrived within two seconds.
    pub text: String,
    /// The wait that the server asks for by `Retry-After`.
    pub retry_after: Option<Duration>,
}

impl Refused {
    /// Reads the text of a response. An error of the body counts as its end.
    pub(crate) async fn read<B>(
        status: StatusCode,
        headers: HeaderMap,
        body: Result<Decoded<B>, String>,
    ) -> Self
    where
        B: Body<Data = Bytes> + Unpin,
        B::Error: Into<BoxError>,
    {
        let retry_after = headers.get(RETRY_AFTER);
        let retry_after = retry_after.and_then(|value| delay(value, SystemTime::now()));
        let mut text = Vec::new();
        let unknown_encoding = match body {
            Ok(mut body) => {
                let reading = async {
                    while text.len() < TEXT_BYTES
                        && let Some(Ok(chunk)) =
                            poll_fn(|cx| Pin::new(&mut body).poll_next(cx)).await
                    {
                        let length = chunk.len().min(TEXT_BYTES - text.len());
                        text.extend_from_slice(&chunk[..length]);
                    }
                };
                // What has arrived until then is the text.
                let _ = timeout(PATIENCE, reading).await;
                None
            }
            Err(encoding) => Some(encoding),
        };
        Self {
            status,
            headers: Box::new(headers),
            unknown_encoding,
            text: String::from_utf8_lossy(&text).into_owned(),
            retry_after,
        }
    }

    /// Returns the `Content-Type` header, several of them as a list, or `None` if there is none.
    pub fn content_type(&self) -> Option<String> {
        let value = content_type(&self.headers)?;
        Some(String::from_utf8_lossy(&value).into_owned())
    }
}

/// Returns the beginning of a text that a server has sent, in one line.
pub(crate) fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("{line:.DISPLAYED_CHARS$}")
}

/// Returns `true` if the headers are those of an event stream.
pub(crate) fn has_event_stream_type(headers: &HeaderMap) -> bool {
    content_type(headers).is_some_and(|value| is_event_stream(&value))
}

/// Returns the values of `Content-Type`, which are a list as the values of other headers are.
fn content_type(headers: &HeaderMap) -> Option<Vec<u8>> {
    let values: Vec<_> = headers.get_all(CONTENT_TYPE).iter().collect();
    let values: Vec<_> = values.into_iter().map(HeaderValue::as_bytes).collect();
    (!values.is_empty()).then(|| values.join(&b", "[..]))
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server answered {}", self.status)?;
        if self.status.is_success() && !has_event_stream_type(&self.headers) {
            let content_type = self.content_type();
            let content_type = content_type.as_deref().unwrap_or("no content type");
            write!(f, " with {content_type}, not an event stream")?;
        } else if let Some(encoding) = &self.unknown_encoding {
            let advice = advice(encoding);
            write!(
                f,
                " with the content encoding {encoding:?}, which cannot be decoded; {advice}"
            )?;
        }
        let mut before = " (";
        for name in DISPLAYED {
            for value in self.headers.get_all(&name) {
                let value = String::from_utf8_lossy(value.as_bytes());
                write!(f, "{before}{name}: {value:.DISPLAYED_CHARS$}")?;
                before = ", ";
            }
        }
        if before == ", " {
            f.write_str(")")?;
        }
        let line = one_line(&self.text);
        if !line.is_empty() {
            write!(f, ": {line}")?;
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
            let mut headers = HeaderMap::new();
            if let Some(value) = content_type {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static(value));
            }
            let refused = Refused {
                status: StatusCode::from_u16(status).unwrap(),
                headers: Box::new(headers),
                unknown_encoding: None,
                text: text.to_owned(),
                retry_after: None,
            };
            assert_eq!(refused.to_string(), expected);
        }
    }

    #[test]
    fn headers_that_say_why_stand_before_the_text() {
        let mut refused = Refused {
            status: StatusCode::UNAUTHORIZED,
            headers: Box::default(),
            unknown_encoding: None,
            text: "no".to_owned(),
            retry_after: None,
        };
        let challenge = HeaderValue::from_static("Bearer error=\"expired\"");
        refused.headers.insert(WWW_AUTHENTICATE, challenge);
        let id = HeaderValue::from_static("req_7");
        refused.headers.insert("x-request-id", id);
        let cookie = HeaderValue::from_static("secret");
        refused.headers.insert("set-cookie", cookie);
        assert_eq!(
            refused.to_string(),
            "the server answered 401 Unauthorized \
             (www-authenticate: Bearer error=\"expired\", x-request-id: req_7): no"
        );
        refused.headers.clear();
        refused.status = StatusCode::OK;
        let stream = HeaderValue::from_static("text/event-stream");
        refused.headers.insert(CONTENT_TYPE, stream);
        refused.unknown_encoding = Some("compress".to_owned());
        refused.text.clear();
        assert_eq!(
            refused.to_string(),
            "the server answered 200 OK with the content encoding \"compress\", which cannot be \
             decoded; gzip, deflate, br and zstd can be, one at a time"
        );
    }
}
