//! Text of a server, made harmless for a terminal.

use std::fmt::{self, Display, Write as _};

/// Displays a text with all control characters except tabs escaped: a server cannot move the
/// cursor, write to the clipboard or fake another line.
///
/// These are C0, DEL and C1: U+009B begins an escape sequence in some terminals.
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut plain = self.0;
        while let Some(at) = plain.find(is_dangerous) {
            let (before, rest) = plain.split_at(at);
            f.write_str(before)?;
            let mut rest = rest.chars();
            for part in rest.next().into_iter().flat_map(char::escape_default) {
                f.write_char(part)?;
            }
            plain = rest.as_str();
        }
        f.write_str(plain)
    }
}

fn is_dangerous(character: char) -> bool {
    character.is_control() && character != '\t'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_and_not_sent() {
        for (text, expected) in [
            ("", ""),
            ("plain, tab\t, ünï ✓", "plain, tab\t, ünï ✓"),
            ("\u{1b}[2J", "\\u{1b}[2J"),
            ("a\u{9b}31mb\u{7f}", "a\\u{9b}31mb\\u{7f}"),
            ("\u{7}\u{8}\r\n\0", "\\u{7}\\u{8}\\r\\n\\u{0}"),
        ] {
            assert_eq!(Escaped(text).to_string(), expected);
        }
    }
}
