//! `Post`, a message as an HTTP client posts it.

use std::{borrow::Cow, str::Utf8Error};

use super::{EVENT_PARAMETER, ID_PARAMETER, parameters};
use crate::{
    topics::Topics,
    wire::{InvalidField, Message},
};

/// A message to publish, as an HTTP client posts it: the data is the body, everything else stands
/// in the query. `sse publish` and the example apps speak this.
///
/// Anyone can post: check that the client may publish to these topics, and `Origin` and `Host` as
/// well, against posts from the pages of other sites and against DNS rebinding.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use sse_core::{Hub, Joe, Topics, response::Post};
///
/// // POST /publish?topic=news&topic=sport&id=7&event=goal
/// let query = Some("topic=news&topic=sport&id=7&event=goal");
/// let Post { message, topics } = Post::from_request(query, b"1:0")?;
/// assert_eq!(topics, Topics::from(["news", "sport"]));
/// assert_eq!(message.to_string(), "id: 7\nevent: goal\ndata: 1:0\n\n");
///
/// let hub = Hub::new(Joe::new());
/// hub.publish(message, topics).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// The message: the data, with the id and the type that the query gives it.
    pub message: Message,
    /// The topics that the query names, see [`Topics::from_query`].
    pub topics: Topics,
}

/// A request from which no message can be made. Status 400, by [`Refusal`](super::Refusal).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPost {
    /// The id or the type would break the stream.
    #[error(transparent)]
    Field(#[from] InvalidField),
    /// A message has one id and one type.
    #[error("the query says `{0}` twice; say it once")]
    Repeated(&'static str),
    /// Event streams are UTF-8.
    #[error("the data is not UTF-8: {0}")]
    NotUtf8(Utf8Error),
}

impl Post {
    /// Reads a message from the query and the body of a request.
    pub fn from_request(query: Option<&str>, data: &[u8]) -> Result<Self, InvalidPost> {
        let data = str::from_utf8(data).map_err(InvalidPost::NotUtf8)?;
        let mut message = Message::data(data);
        if let Some(id) = parameter(query, ID_PARAMETER)? {
            message = message.id(String::from(id).try_into()?);
        }
        if let Some(event) = parameter(query, EVENT_PARAMETER)? {
            message = message.event(String::from(event).try_into()?);
        }
        let topics = Topics::from_query(query);
        Ok(Self { message, topics })
    }
}

/// Returns the value of a parameter that may be there once.
fn parameter<'a>(
    query: Option<&'a str>,
    name: &'static str,
) -> Result<Option<Cow<'a, str>>, InvalidPost> {
    let mut values = parameters(query).filter(|(it, _)| it == name);
    let value = values.next().map(|(_, value)| value);
    match values.next() {
        Some(_) => Err(InvalidPost::Repeated(name)),
        None => Ok(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn posted(query: &str, data: &[u8]) -> Result<String, InvalidPost> {
        Post::from_request(Some(query), data).map(|post| post.message.to_string())
    }

    #[test]
    fn the_body_is_the_data_and_the_query_says_the_rest() {
        let rows = [
            ("", "", "data: \n\n"),
            ("topic=a&other=x", "hello", "data: hello\n\n"),
            (
                "id=gr%C3%BCn&event=a+b",
                "x\ny",
                "id: gr\u{fc}n\nevent: a b\ndata: x\ndata: y\n\n",
            ),
        ];
        for (query, data, expected) in rows {
            assert_eq!(
                posted(query, data.as_bytes()).as_deref(),
                Ok(expected),
                "{query}"
            );
        }
        let post = Post::from_request(None, b"hello").unwrap();
        assert_eq!(post.topics, Topics::default());
    }

    #[test]
    fn what_would_break_a_stream_is_refused_with_the_reason() {
        let rows = [
            ("id=a%0Ab", "id"),
            ("id=+a", "id"),
            ("event=a%0Db", "event"),
            ("event=", "event"),
            ("id=1&id=2", "`id` twice"),
            ("event=a&event=a", "`event` twice"),
        ];
        for (query, reason) in rows {
            let error = posted(query, b"x").unwrap_err();
            assert!(error.to_string().contains(reason), "{query}: {error}");
        }
        let error = posted("", b"\xff").unwrap_err();
        assert!(error.to_string().contains("not UTF-8"), "{error}");
    }
}
