//! Errors whose `Debug` is their text.

use std::fmt;

use crate::{field::InvalidField, message::ParseMessageError};

/// Makes the text of an error its `Debug` as well, because a `main` that returns the error prints
/// that: the name of a variant would not say what to do.
macro_rules! debug_is_the_text {
    ($($error:ty),* $(,)?) => {$(
        impl fmt::Debug for $error {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    )*};
}

debug_is_the_text!(InvalidField, ParseMessageError);
