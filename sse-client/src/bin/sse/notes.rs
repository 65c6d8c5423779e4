//! Lines on stderr, apart from the output on stdout.

use std::{fmt::Display, io::Write as _};

use anstyle::{AnsiColor, Style};

use crate::escape::Escaped;

const NOTE: Style = Style::new().dimmed();
const ERROR: Style = AnsiColor::Red.on_default().bold();

/// Prints a note about the connection.
pub(crate) fn note(text: impl Display) {
    line(NOTE, "", &text);
}

/// Prints the reason why the command fails.
pub(crate) fn error(text: impl Display) {
    line(ERROR, "error: ", &text);
}

/// Prints a line with control characters escaped, because errors repeat the text of servers. A
/// failure is ignored: it could not be printed anywhere.
fn line(style: Style, label: &str, text: &dyn Display) {
    let text = text.to_string();
    let text = Escaped(&text);
    let _ = if label.is_empty() {
        writeln!(anstream::stderr(), "{style}{text}{style:#}")
    } else {
        writeln!(anstream::stderr(), "{style}{label}{style:#}{text}")
    };
}
