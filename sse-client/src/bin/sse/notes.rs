//! What is said on stderr, where it disturbs nobody who reads stdout.

use std::{fmt::Display, io::Write as _};

use anstyle::{AnsiColor, Style};

use crate::escape::Escaped;

const NOTE: Style = Style::new().dimmed();
const ERROR: Style = AnsiColor::Red.on_default().bold();

/// What happens to the connection.
pub(crate) fn note(text: impl Display) {
    line(NOTE, "", &text);
}

/// Why the command fails.
pub(crate) fn error(text: impl Display) {
    line(ERROR, "error: ", &text);
}

/// Errors repeat what servers say, so they are escaped, too. Nobody can be told that stderr is gone.
fn line(style: Style, label: &str, text: &dyn Display) {
    let text = text.to_string();
    let text = Escaped(&text);
    let _ = if label.is_empty() {
        writeln!(anstream::stderr(), "{style}{text}{style:#}")
    } else {
        writeln!(anstream::stderr(), "{style}{label}{style:#}{text}")
    };
}
