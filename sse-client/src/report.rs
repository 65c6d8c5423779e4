//! An error with its causes, for people.

use std::{error::Error, fmt};

/// Displays an error with its causes in one line: `cannot connect: connection refused`.
///
/// The text of an error of this crate does not repeat its cause, which is its
/// [`source`](Error::source). Loggers and `anyhow` print both; this is for programs without them.
///
/// ```
/// # let error = sse_client::TransportError::new("connection refused");
/// eprintln!("{}", sse_client::Report::new(&error));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Report<'a>(&'a (dyn Error + 'static));

impl<'a> Report<'a> {
    /// Wraps an error.
    pub fn new(error: &'a (dyn Error + 'static)) -> Self {
        Self(error)
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.0.to_string();
        f.write_str(&text)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            let before = std::mem::replace(&mut text, error.to_string());
            // Errors of other crates may repeat their cause.
            if !before.ends_with(&text) {
                write!(f, ": {text}")?;
            }
            cause = error.source();
        }
        Ok(())
    }
}
