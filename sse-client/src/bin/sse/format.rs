//! The printed form of an event.

use std::io::{self, Write as _};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use serde::Serialize as _;
use serde_json::{Serializer, ser};
use sse_client::Event;
use sse_wire::EventType;

use crate::escape::{Escaped, is_dangerous};

const TYPE: Style = AnsiColor::Cyan.on_default().bold();
const ID: Style = Style::new().dimmed();

/// The output formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people; control characters are escaped.
    Text { coloured: bool },
    /// For programs: one object per line.
    Json,
}

impl Format {
    /// Returns the text format for stdout: with colours if it is a terminal and `NO_COLOR` is not
    /// set.
    pub(crate) fn text() -> Self {
        let choice = AutoStream::auto(io::stdout()).current_choice();
        Self::Text {
            coloured: choice != ColorChoice::Never,
        }
    }

    /// Appends an event and a line break.
    pub(crate) fn append(self, event: &Event, out: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Self::Text { coloured: true } => text(event, TYPE, ID, out),
            Self::Text { coloured: false } => text(event, Style::new(), Style::new(), out),
            Self::Json => json(event, out),
        }
    }
}

/// Prints the type and the id in a line, then the data, indented. Without both, only the data.
fn text(event: &Event, of_type: Style, of_id: Style, out: &mut Vec<u8>) -> io::Result<()> {
    let has_head = event.event != EventType::MESSAGE || !event.id.is_empty();
    if has_head {
        write!(out, "{of_type}{}{of_type:#}", Escaped(&event.event))?;
        if !event.id.is_empty() {
            write!(out, "  {of_id}id {}{of_id:#}", Escaped(&event.id))?;
        }
        writeln!(out)?;
    }
    for line in event.data.split('\n') {
        if has_head && !line.is_empty() {
            write!(out, "  ")?;
        }
        writeln!(out, "{}", Escaped(line))?;
    }
    Ok(())
}

fn json(event: &Event, out: &mut Vec<u8>) -> io::Result<()> {
    event.serialize(&mut Serializer::with_formatter(&mut *out, Harmless))?;
    out.push(b'\n');
    Ok(())
}

/// Escapes DEL, C1, the controls of direction, U+2028 and U+2029, too. JSON does not require it,
/// but terminals act upon them, many readers of lines take U+2028 for the end of one, and a parser
/// reads the same.
struct Harmless;

impl ser::Formatter for Harmless {
    fn write_string_fragment<W>(&mut self, out: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        let mut plain = fragment;
        while let Some(at) = plain.find(is_dangerous) {
            let (before, rest) = plain.split_at(at);
            let mut rest = rest.chars();
            let code = rest.next().map_or(0, u32::from);
            write!(out, "{before}\\u{code:04x}")?;
            plain = rest.as_str();
        }
        out.write_all(plain.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(format: Format, id: &str, event: &str, data: &str) -> String {
        let event = Event {
            id: id.to_owned(),
            event: event.to_owned().into(),
            data: data.to_owned(),
        };
        let mut out = Vec::new();
        format.append(&event, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn text_has_a_head_where_there_is_something_to_say() {
        for (id, event, data, expected) in [
            ("", "message", "a", "a\n"),
            ("", "message", "a\n\nb", "a\n\nb\n"),
            ("7", "message", "a", "message  id 7\n  a\n"),
            ("", "tick", "a\n\nb", "tick\n  a\n\n  b\n"),
            ("7", "tick", "", "tick  id 7\n\n"),
            (
                "\u{1b}c",
                "\u{9b}m",
                "\u{7}",
                "\\u{9b}m  id \\u{1b}c\n  \\u{7}\n",
            ),
        ] {
            let plain = Format::Text { coloured: false };
            assert_eq!(printed(plain, id, event, data), expected);
        }
    }

    #[test]
    fn colours_are_around_the_type_and_the_id() {
        assert_eq!(
            printed(Format::Text { coloured: true }, "7", "tick", "a"),
            "\u{1b}[1m\u{1b}[36mtick\u{1b}[0m  \u{1b}[2mid 7\u{1b}[0m\n  a\n"
        );
    }

    #[test]
    fn json_is_one_line_without_control_characters() {
        let line = printed(Format::Json, "ü", "t\u{9b}", "\"a\"\nb\u{1b}\u{7f}\\\t");
        let expected = r#"{"id":"ü","event":"t\u009b","data":"\"a\"\nb\u001b\u007f\\\t"}"#;
        assert_eq!(line, format!("{expected}\n"));
        let event: Event = serde_json::from_str(&line).unwrap();
        assert_eq!(event.data, "\"a\"\nb\u{1b}\u{7f}\\\t");
        let line = printed(Format::Json, "", "message", "a\u{2028}b\u{85}c\u{202e}");
        let expected = r#"{"id":"","event":"message","data":"a\u2028b\u0085c\u202e"}"#;
        assert_eq!(line, format!("{expected}\n"), "one line for everybody");
    }
}
