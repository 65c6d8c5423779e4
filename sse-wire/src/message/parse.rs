//! The parser: from text to a message.

use std::{str::FromStr, time::Duration};

use super::Message;
use crate::{
    line::{Line, find_line_end, parse_retry, strip_bom, text},
    lines::Lines,
};

/// A reason for which a text is not one message.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseMessageError {
    /// No field that the standard knows, and no comment.
    #[error("no field or comment in it; write for example `data: text` and a line end")]
    Empty,
    /// A client discards a line that has not ended.
    #[error("the last line has no line end; add one")]
    Unterminated,
    /// Something follows the blank line that ends the message.
    #[error(
        "there is more after the blank line that ends the message; parse one message at a time"
    )]
    Trailing,
}

/// Reads one message in the wire format, by the rules of a client: one leading byte order mark is
/// removed, unknown fields, ids with NUL and malformed `retry` values are ignored, the last `id`,
/// `event` and `retry` win. The blank line at the end may be missing. Unlike in a client,
/// an id that is no [`EventId`](crate::EventId) is ignored, too.
impl FromStr for Message {
    type Err = ParseMessageError;

    fn from_str(input: &str) -> Result<Self, ParseMessageError> {
        let mut rest = strip_bom(input.as_bytes());
        let mut message = Self::default();
        let mut data: Option<Lines> = None;
        let mut comment: Option<Lines> = None;
        while !rest.is_empty() {
            let end = find_line_end(rest).ok_or(ParseMessageError::Unterminated)?;
            let line = Line::parse(&rest[..end]);
            rest = after_line_end(&rest[end..]);
            match line {
                Line::Blank if rest.is_empty() => break,
                Line::Blank => return Err(ParseMessageError::Trailing),
                Line::Comment(value) => append(&mut comment, value),
                Line::Data(value) => append(&mut data, value),
                Line::Event(value) => {
                    // An empty type is none.
                    message.event = text(value).as_ref().try_into().ok();
                }
                Line::Id(value) => {
                    if let Ok(id) = text(value).as_ref().try_into() {
                        message.id = Some(id);
                    }
                }
                Line::Retry(value) => {
                    if let Some(millis) = parse_retry(value) {
                        message.retry = Some(Duration::from_millis(millis));
                    }
                }
                Line::Unknown => {}
            }
        }
        message.data = data;
        message.comment = comment;
        if message.is_empty() {
            return Err(ParseMessageError::Empty);
        }
        Ok(message)
    }
}

fn after_line_end(rest: &[u8]) -> &[u8] {
    rest.strip_prefix(b"\r\n").unwrap_or(&rest[1..])
}

fn append(lines: &mut Option<Lines>, value: &[u8]) {
    let value = text(value);
    match lines {
        Some(lines) => lines.push_line(&value),
        None => *lines = Some(value.into_owned().into()),
    }
}
