//! Text of a server, made harmless for a terminal.

use std::fmt::{self, Display, Write as _};

/// Displays a text with all control characters except tabs escaped: a server cannot move the
/// cursor, write to the clipboard, fake another line, or turn the direction of the text so that it
/// reads as something else (CVE-2021-42574).
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

/// Returns `true` for control characters except tabs, those of the direction, and the separators of
/// lines and paragraphs.
pub(crate) fn is_dangerous(character: char) -> bool {
    let is_of_direction = matches!(
        character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    let is_separator = matches!(character, '\u{2028}' | '\u{2029}');
    (character.is_control() && character != '\t') || is_of_direction || is_separator
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
            (
                "safe\u{202e}gnp.exe\u{2066}",
                "safe\\u{202e}gnp.exe\\u{2066}",
            ),
            ("a\u{2028}b", "a\\u{2028}b"),
            ("\u{7}\u{8}\r\n\0", "\\u{7}\\u{8}\\r\\n\\u{0}"),
        ] {
            assert_eq!(Escaped(text).to_string(), expected);
        }
    }
}
