//! The errors of following a stream and of reading a body.

use std::{fmt, time::Duration};

use http::StatusCode;
use sse_wire::DecodeError;

use crate::{
    BoxError, RedirectError, Refused, Report, TransportError, refused::one_line,
    shown::without_secrets,
};

/// The reason why an attempt to connect failed, or a connection ended.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server ended the stream.
    #[error("the server ended the stream")]
    Ended,
    /// The server ended the stream, and all of it was text that is no event: an error as JSON,
    /// perhaps. The standard ignores such lines.
    #[error(
        "the server ended the stream without an event; it sent: {}",
        one_line(text)
    )]
    NoEvents {
        /// The beginning of the text.
        text: String,
    },
    /// The connection broke off.
    #[error("the connection was lost")]
    Lost(#[source] TransportError),
    /// Nothing arrived, not even a comment.
    #[error(
        "{} for {after:?}; if the server is that {}, raise `idle_timeout`",
        if *connecting { "no answer came" } else { "nothing came" },
        if *connecting { "slow" } else { "quiet" },
    )]
    Idle {
        /// The time limit.
        after: Duration,
        /// Not even the head of a response arrived.
        connecting: bool,
    },
    /// There is no connection, or no response.
    #[error("cannot connect")]
    Connect(#[source] TransportError),
    /// The response has a status other than 200, or is not an event stream.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// A redirect leads nowhere.
    #[error(transparent)]
    Redirect(#[from] RedirectError),
    /// A line or an event exceeds its limit. Another connection would get the same again.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The request is malformed: its URL or a header is.
    #[error("the request is malformed")]
    Request(#[source] BoxError),
    /// Your function that builds requests failed. It is called again for the next attempt.
    #[error("the request could not be built")]
    Build(#[source] BoxError),
}

/// The kinds of errors, by which a program can decide what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The server ended the stream properly.
    Ended,
    /// There is no connection, or it was lost or silent for too long.
    Connection,
    /// The server answered something other than an event stream, or a redirect that leads nowhere.
    Refused,
    /// The stream has something that the client cannot take: too much data, data that is not the
    /// JSON that was expected, or text that is no event.
    Content,
    /// The request is malformed, or could not be built.
    Request,
}

impl Error {
    /// Returns the kind of the error.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Ended => ErrorKind::Ended,
            Self::Lost(_) | Self::Idle { .. } | Self::Connect(_) => ErrorKind::Connection,
            Self::Refused(_) | Self::Redirect(_) => ErrorKind::Refused,
            Self::NoEvents { .. } | Self::Decode(_) => ErrorKind::Content,
            Self::Request(_) | Self::Build(_) => ErrorKind::Request,
        }
    }

    /// Returns `true` if another attempt may succeed.
    pub(crate) fn is_worth_a_retry(
        &self,
        retry_on: impl FnOnce(StatusCode) -> bool,
        other_types: bool,
    ) -> bool {
        match self {
            Self::Ended
            | Self::NoEvents { .. }
            | Self::Lost(_)
            | Self::Idle { .. }
            | Self::Build(_) => true,
            Self::Connect(error) => !error.is_permanent(),
            // A 200 of another type is no matter of its status.
            Self::Refused(refused) if refused.status == StatusCode::OK => other_types,
            Self::Refused(refused) => retry_on(refused.status),
            Self::Redirect(_) | Self::Decode(_) | Self::Request(_) => false,
        }
    }

    /// Returns `true` if the server asks its clients to stay away.
    pub(crate) fn is_no_content(&self) -> bool {
        matches!(self, Self::Refused(refused) if refused.status == StatusCode::NO_CONTENT)
    }

    /// Returns the wait that the server asks for.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused(refused) => refused.retry_after,
            _ => None,
        }
    }
}

/// The text with all causes: a `main` that returns the error prints its `Debug`, and the name of a
/// variant would not say what to do.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Report::new(self), f)
    }
}

/// The reason why reading a body ended early. Nothing follows it.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The body failed: the connection was lost, or the server cut it off.
    #[error("the event stream broke off")]
    Body(#[source] BoxError),
    /// The body ended properly, but before the event that was to end it.
    #[error(
        "the event stream ended before `{expected}`: the answer is not complete{}",
        instead(found)
    )]
    Incomplete {
        /// The data of that event.
        expected: String,
        /// The beginning of the text after the last event that is no field of the standard: an
        /// error as JSON, perhaps. Empty if there is none.
        found: String,
    },
    /// The body ended properly, and all of it was text that is no event: an error as JSON, perhaps.
    /// The standard ignores such lines. With `json`, the text may also follow the last event.
    #[error("the body has text that is no event: {}", one_line(text))]
    NoEvents {
        /// The beginning of the text.
        text: String,
    },
    /// A line or an event exceeds its limit.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The response is not an event stream.
    #[error(transparent)]
    Refused(#[from] Refused),
}

impl ReadError {
    /// Returns the kind of the error.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Body(_) => ErrorKind::Connection,
            Self::Incomplete { .. } => ErrorKind::Ended,
            Self::NoEvents { .. } | Self::Decode(_) => ErrorKind::Content,
            Self::Refused(_) => ErrorKind::Refused,
        }
    }

    /// Wraps an error of a body.
    pub(crate) fn body(error: impl Into<BoxError>) -> Self {
        match without_secrets(error).downcast::<Refused>() {
            Ok(refused) => Self::Refused(*refused),
            Err(error) => Self::Body(error),
        }
    }
}

/// The text with all causes: a `main` that returns the error prints its `Debug`, and the name of a
/// variant would not say what to do.
impl fmt::Debug for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Report::new(self), f)
    }
}

fn instead(found: &str) -> String {
    if found.is_empty() {
        return String::new();
    }
    format!("; it ended with {}", one_line(found))
}

#[cfg(test)]
mod tests {
    use std::{error, io};

    use super::*;
    use crate::Closed;

    /// An error of another crate, which has a cause.
    #[derive(Debug, thiserror::Error)]
    #[error("incomplete message")]
    struct Foreign(#[source] io::Error);

    fn with_cause() -> BoxError {
        Foreign(io::Error::other("reset")).into()
    }

    fn refused() -> Refused {
        Refused {
            status: StatusCode::FORBIDDEN,
            headers: Box::default(),
            unknown_encoding: None,
            text: "no".to_owned(),
            retry_after: None,
        }
    }

    fn redirects() -> Vec<RedirectError> {
        let status = StatusCode::FOUND;
        let location = "ftp://a.example/".to_owned();
        let all = vec![
            RedirectError::NoLocation { status },
            RedirectError::BadLocation { location },
            RedirectError::TooMany { limit: 20 },
        ];
        assert_all(&all, 3, |error| match error {
            RedirectError::NoLocation { .. } => 0,
            RedirectError::BadLocation { .. } => 1,
            RedirectError::TooMany { .. } => 2,
        });
        all
    }

    fn errors() -> Vec<Error> {
        let after = Duration::from_secs(45);
        let mut all = vec![
            Error::Ended,
            Error::NoEvents {
                text: "{}".to_owned(),
            },
            Error::Lost(TransportError::new(with_cause())),
            Error::Idle {
                after,
                connecting: true,
            },
            Error::Connect(TransportError::permanent(with_cause())),
            Error::Refused(refused()),
            Error::Decode(DecodeError::LineTooLong { limit: 7 }),
            Error::Request(with_cause()),
            Error::Build(with_cause()),
        ];
        all.extend(redirects().into_iter().map(Error::Redirect));
        assert_all(&all, 10, |error| match error {
            Error::Ended => 0,
            Error::Lost(_) => 1,
            Error::Idle { .. } => 2,
            Error::Connect(_) => 3,
            Error::Refused(_) => 4,
            Error::Redirect(_) => 5,
            Error::Decode(_) => 6,
            Error::Request(_) => 7,
            Error::Build(_) => 8,
            Error::NoEvents { .. } => 9,
        });
        all
    }

    fn read_errors() -> Vec<ReadError> {
        let all = vec![
            ReadError::Body(with_cause()),
            ReadError::Incomplete {
                expected: "[DONE]".to_owned(),
                found: "{}".to_owned(),
            },
            ReadError::NoEvents {
                text: "{}".to_owned(),
            },
            ReadError::Decode(DecodeError::EventTooLarge { limit: 7 }),
            ReadError::Refused(refused()),
        ];
        assert_all(&all, 5, |error| match error {
            ReadError::Body(_) => 0,
            ReadError::Incomplete { .. } => 1,
            ReadError::Decode(_) => 2,
            ReadError::Refused(_) => 3,
            ReadError::NoEvents { .. } => 4,
        });
        all
    }

    fn reasons() -> Vec<Closed> {
        let mut all = vec![Closed::Stopped, Closed::ByClient, Closed::Already];
        all.extend(errors().into_iter().map(Closed::Failed));
        let gave_up = |error| Closed::GaveUp { failures: 3, error };
        all.extend(errors().into_iter().map(gave_up));
        assert_all(&all, 5, |closed| match closed {
            Closed::Stopped => 0,
            Closed::Failed(_) => 1,
            Closed::GaveUp { .. } => 2,
            Closed::ByClient => 3,
            Closed::Already => 4,
        });
        all
    }

    #[cfg(feature = "json")]
    fn json_errors() -> Vec<crate::JsonError> {
        use crate::{Event, JsonError};

        let event = Event {
            data: "Internal error".to_owned(),
            ..Event::default()
        };
        // proof: the data is not JSON
        let source = event.json::<u8>().unwrap_err();
        let mut all = vec![JsonError::Data { event, source }];
        all.extend(read_errors().into_iter().map(JsonError::Read));
        assert_all(&all, 2, |error| match error {
            JsonError::Data { .. } => 0,
            JsonError::Read(_) => 1,
        });
        all
    }

    /// Fails if a variant is missing; `number` is a `match` that the compiler checks.
    fn assert_all<T>(all: &[T], count: usize, number: impl Fn(&T) -> usize) {
        let mut numbers: Vec<_> = all.iter().map(number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert!(numbers.into_iter().eq(0..count));
    }

    /// Fails if the text of an error, or of one of its causes, contains that of the next cause.
    fn assert_causes_stand_alone<E: error::Error + 'static>(errors: &[E]) {
        for error in errors {
            let mut text = error.to_string();
            let mut cause = error.source();
            while let Some(error) = cause {
                let next = error.to_string();
                assert!(!text.contains(&next), "{text:?} contains {next:?}");
                (text, cause) = (next, error.source());
            }
        }
    }

    #[test]
    fn no_text_contains_that_of_its_cause() {
        assert_causes_stand_alone(&redirects());
        assert_causes_stand_alone(&errors());
        assert_causes_stand_alone(&read_errors());
        assert_causes_stand_alone(&reasons());
        #[cfg(feature = "json")]
        assert_causes_stand_alone(&json_errors());
        assert_causes_stand_alone(&[refused()]);
        assert_causes_stand_alone(&[TransportError::new(with_cause())]);
    }

    #[test]
    fn every_cause_is_reported_once() {
        let lost = || Error::Lost(TransportError::new(with_cause()));
        let chain = "the connection was lost: incomplete message: reset";
        assert_eq!(Report::new(&lost()).to_string(), chain);
        assert_eq!(format!("{:?}", lost()), chain, "as a `main` prints it");
        let gave_up = Closed::GaveUp {
            failures: 3,
            error: lost(),
        };
        let chain = format!("gave up after 3 failed attempts: {chain}");
        assert_eq!(Report::new(&gave_up).to_string(), chain);
        assert_eq!(format!("{gave_up:?}"), chain);
    }

    #[test]
    fn a_cause_that_another_crate_repeats_is_reported_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("cannot read: {0}")]
        struct Repeats(#[source] io::Error);

        let error = Repeats(io::Error::other("disk full"));
        assert_eq!(Report::new(&error).to_string(), "cannot read: disk full");
    }

    #[test]
    fn each_error_has_a_kind() {
        use ErrorKind::{Connection, Content, Ended, Refused, Request};

        let kinds: Vec<_> = errors().iter().map(Error::kind).collect();
        let expected = [
            Ended, Content, Connection, Connection, Connection, Refused, Content, Request, Request,
        ];
        assert_eq!(kinds[..9], expected);
        assert_eq!(kinds[9..], [Refused; 3], "the redirects");
        let kinds: Vec<_> = read_errors().iter().map(ReadError::kind).collect();
        assert_eq!(kinds, [Connection, Ended, Content, Content, Refused]);
    }
}
