//! `Lines`: text as the lines of an event stream.

use std::{fmt, ops::Deref};

/// Text whose lines are separated by LF: the data of a message, or its comment.
///
/// Any text can be one. CR and CRLF become LF, as they would at the client.
///
/// ```
/// use sse_wire::Lines;
///
/// assert_eq!(Lines::from("one\r\ntwo\rthree"), "one\ntwo\nthree");
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lines(String);

impl Lines {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the text as a `String`.
    pub fn into_string(self) -> String {
        self.0
    }

    /// Appends a line, which holds no CR and no LF.
    pub(crate) fn push_line(&mut self, line: &str) {
        self.0.push('\n');
        self.0.push_str(line);
    }
}

impl<T: Into<String>> From<T> for Lines {
    fn from(text: T) -> Self {
        let text = text.into();
        if memchr::memchr(b'\r', text.as_bytes()).is_none() {
            return Self(text);
        }
        Self(text.replace("\r\n", "\n").replace('\r', "\n"))
    }
}

impl Deref for Lines {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Lines {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for Lines {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for Lines {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl fmt::Display for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
