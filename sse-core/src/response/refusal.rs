//! `Refusal`, the answer to a request that is not fulfilled.

use std::time::Duration;

use super::{
    BAD_REQUEST, CONTENT_TYPE, HEADERS, InvalidPost, OK, RETRY_AFTER, SERVICE_UNAVAILABLE,
};
use crate::{
    error::{PublishError, SubscribeError},
    random::random,
    wire::Message,
};

/// A refused request, subscribing or publishing: the error, and whether a browser is to survive the
/// answer.
///
/// An `EventSource` gives up for ever on every status but 200. So a client that is not subscribed
/// for a reason which will pass (a full house, a shutdown, a history that cannot be read), or that
/// has to load the current state first, is answered by a stream all the same: status 200, a `retry`
/// of 5 to 10 s with the reason as a comment, and the end. It comes back by itself; the `retry`
/// stays with it until it is told another, which
/// [`HubBuilder::spread_reconnects`](crate::hub::HubBuilder::spread_reconnects) does.
/// [`with_status`](Self::with_status) answers with an error status instead.
///
/// Refusals that coming back cannot cure, and refused publishes, always get an error status:
///
/// | status | errors |
/// |---|---|
/// | 400 | too many topics or a long one; an empty message, a reserved type, a long id or type; an [`InvalidPost`] |
/// | 412 | a gap under [`OnGap::Refuse`](crate::OnGap::Refuse) |
/// | 413 | a message that is too large |
/// | 500 | the history or the provider fails; a runtime without a clock |
/// | 503, with `Retry-After` | a full house; a shutdown |
///
/// Its text is the error's, for logs. A client is told less where the engine has failed.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Refusal {
    cause: Cause,
}

#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error(transparent)]
    Stream(SubscribeError),
    #[error(transparent)]
    Status(SubscribeError),
    #[error(transparent)]
    Publish(PublishError),
    #[error(transparent)]
    Post(InvalidPost),
}

/// A whole response, for a framework to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers, with names in lower case.
    pub headers: Vec<(&'static str, &'static str)>,
    /// The text, in UTF-8.
    pub body: String,
}

impl Refusal {
    /// The shortest time after which a client that was refused comes back.
    const RETRY: Duration = Duration::from_secs(5);
    /// The window after it over which all of them are spread.
    const SPREAD_MILLIS: u64 = 5_000;

    /// Answers with an error status instead of a stream that a browser would survive: for scripts,
    /// load balancers and monitoring, and for pages that have their own way to come back.
    #[must_use]
    pub fn with_status(self) -> Self {
        let cause = match self.cause {
            Cause::Stream(error) => Cause::Status(error),
            other => other,
        };
        Self { cause }
    }

    /// Returns the whole response.
    pub fn answer(&self) -> Answer {
        match &self.cause {
            Cause::Stream(error) => match Self::stream(error) {
                Some(body) => Answer {
                    status: OK,
                    headers: HEADERS.into(),
                    body,
                },
                None => Answer::text(error.status(), error.public_text()),
            },
            Cause::Status(error) => Answer::text(error.status(), error.public_text()),
            Cause::Publish(error) => Answer::text(error.status(), error.public_text()),
            Cause::Post(error) => Answer::text(BAD_REQUEST, error.to_string()),
        }
    }

    /// Returns the stream for a client that may come back.
    fn stream(error: &SubscribeError) -> Option<String> {
        let retry = Self::RETRY + Duration::from_millis(random() % (Self::SPREAD_MILLIS + 1));
        match error {
            SubscribeError::Gap(gap) => Some(gap.message().retry(retry).to_string()),
            SubscribeError::Closed(_)
            | SubscribeError::Full { .. }
            | SubscribeError::Store(_)
            | SubscribeError::Provider(_) => {
                let message = Message::default().retry(retry);
                let text = message.comment(error.public_text()).to_string();
                // Without the blank line, of which some clients would make an event. A `retry`
                // counts at once.
                text.strip_suffix('\n').map(str::to_owned)
            }
            SubscribeError::NoClock
            | SubscribeError::TooManyTopics { .. }
            | SubscribeError::TopicTooLong { .. } => None,
        }
    }
}

impl Answer {
    fn text(status: u16, body: String) -> Self {
        let mut headers = vec![(CONTENT_TYPE, "text/plain; charset=utf-8")];
        if status == SERVICE_UNAVAILABLE {
            headers.push(RETRY_AFTER);
        }
        Self {
            status,
            headers,
            body,
        }
    }
}

impl From<SubscribeError> for Refusal {
    fn from(error: SubscribeError) -> Self {
        Self {
            cause: Cause::Stream(error),
        }
    }
}

impl From<PublishError> for Refusal {
    fn from(error: PublishError) -> Self {
        Self {
            cause: Cause::Publish(error),
        }
    }
}

impl From<InvalidPost> for Refusal {
    fn from(error: InvalidPost) -> Self {
        Self {
            cause: Cause::Post(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{error::ProviderClosed, replay::StoreError, resume::Gap};

    #[test]
    fn what_will_pass_is_a_stream_that_a_browser_survives() {
        let errors: [SubscribeError; 3] = [
            ProviderClosed.into(),
            SubscribeError::Full { limit: 1 },
            StoreError::new("secret").into(),
        ];
        for error in errors {
            let (status, text) = (error.status(), error.public_text());
            let refusal = Refusal::from(error);
            let answer = refusal.answer();
            assert_eq!((answer.status, &answer.headers[..]), (200, &HEADERS[..]));
            let (comment, retry) = answer.body.split_once("\nretry: ").unwrap();
            assert_eq!(comment, format!(": {text}"));
            let retry: u64 = retry.strip_suffix('\n').unwrap().parse().unwrap();
            assert!((5_000..=10_000).contains(&retry), "{retry}");
            assert!(!answer.body.contains("secret"));
            let answer = refusal.with_status().answer();
            assert_eq!((answer.status, answer.body), (status, text));
        }
    }

    #[test]
    fn a_gap_that_is_refused_is_told_in_the_stream() {
        let refusal = Refusal::from(SubscribeError::Gap(Gap::Expired));
        let answer = refusal.answer();
        assert_eq!(answer.status, 200);
        let told = "\ndata: {\"reason\":\"expired\"}\n\n";
        assert!(answer.body.contains("event: gap\nretry: "), "{answer:?}");
        assert!(answer.body.ends_with(told), "{answer:?}");
        assert_eq!(refusal.with_status().answer().status, 412);
    }

    #[test]
    fn what_would_be_refused_again_is_a_status() {
        let (count, limit) = (200, 128);
        let too_many = SubscribeError::TooManyTopics { count, limit };
        for (refusal, status) in [
            (Refusal::from(too_many), 400),
            (SubscribeError::NoClock.into(), 500),
            (PublishError::Empty.into(), 400),
            (PublishError::ReservedType.into(), 400),
            (PublishError::Closed(ProviderClosed).into(), 503),
            (PublishError::TooLarge { size: 2, limit: 1 }.into(), 413),
            (InvalidPost::Repeated("id").into(), 400),
        ] {
            let answer = refusal.answer();
            assert_eq!(answer.status, status, "{refusal}");
            assert_eq!(answer.headers.contains(&RETRY_AFTER), status == 503);
            assert!(!answer.body.contains("event: "));
        }
        let store = PublishError::Store(StoreError::new("/secret/path"));
        let answer = Refusal::from(store).answer();
        assert_eq!(
            (answer.status, answer.body.contains("secret")),
            (500, false)
        );
    }
}
