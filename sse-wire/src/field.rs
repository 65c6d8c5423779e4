//! The two fields whose values must be one line: `id` and `event`.

use std::{fmt, str::FromStr};

use crate::text::Text;

/// The `id` of an event, which a client sends back as `Last-Event-ID` to continue where it was.
///
/// It is text that comes back as it was sent. CR or LF would end its line, a client ignores an id
/// with NUL ([HTML, 9.2.6]), no HTTP header carries any control character except TAB, and HTTP
/// removes spaces and tabs from its ends; so an id has none of these. Clients keep any id that a
/// server sends: these rules are for publishing.
///
/// An empty id is not the same as none: it makes the client forget its last id. A hub treats it as
/// none.
///
/// Prefer at most 128 bytes of `[0-9A-Za-z._~-]`, like the ids that a history gives. The Fetch
/// standard does not let `Last-Event-ID` pass to another origin without a CORS preflight, and a
/// proposal to do so is for such short and plain values only ([whatwg/fetch#568]). So a page that
/// sets the header itself, as with `fetch`, causes one; the reconnects of an `EventSource` cause
/// none in Chromium and most other browsers.
///
/// Cheap to clone. A string to serde, with feature `serde`.
///
/// [HTML, 9.2.6]:
/// https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
/// [whatwg/fetch#568]: https://github.com/whatwg/fetch/issues/568
///
/// ```
/// use sse_wire::EventId;
///
/// let id: EventId = "42".parse()?;
/// assert_eq!(id, EventId::from(42));
/// assert!(EventId::try_from("4\n2").is_err());
/// assert!(EventId::try_from("42 ").is_err());
/// # Ok::<(), sse_wire::InvalidField>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "String", into = "String"))]
pub struct EventId(Text);

impl EventId {
    /// The longest id in bytes that a published message may carry and that is taken from a request.
    ///
    /// An id that a client sends back must be bounded, and a published one must be one that a
    /// client can send back; hence one number for both.
    pub const MAX_BYTES: usize = 1024;

    /// Returns `true` for the empty id, which makes a client forget its last one.
    pub fn is_empty(&self) -> bool {
        self.as_str().is_empty()
    }
}

/// The type of an event, by which a browser picks the listener; `message` if a message has none.
///
/// It has no CR or LF and is not empty: on the wire an empty type is the same as no type, so leave
/// it out instead.
///
/// Three names have a meaning already. `message` is the same as none. `error` and `open` are
/// allowed, but a page's listener for `error`, or its `onerror`, is also called when the connection
/// is lost, and one for `open` when it is made: choose other names. A hub refuses `gap`, by which
/// it tells a client itself that something is missing (`Gap::EVENT` in `sse-core`).
///
/// Cheap to clone. A string to serde, with feature `serde`.
///
/// ```
/// use sse_wire::EventType;
///
/// const PRICE: EventType = EventType::from_static("price");
/// assert_eq!(PRICE, EventType::try_from("price")?);
/// assert!(EventType::try_from("price\ndata: 0").is_err());
/// # Ok::<(), sse_wire::InvalidField>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "String", into = "String"))]
pub struct EventType(Text);

impl EventType {
    /// The longest type in bytes that a published message may carry: the same as for an id, far
    /// more than any page listens for.
    pub const MAX_BYTES: usize = 1024;

    /// The type of a message that names none.
    pub const MESSAGE: &'static str = "message";
}

/// Makes an [`EventType`] of a literal: `event_type!("trade")`.
///
/// The compiler checks it everywhere; [`EventType::from_static`] outside of a `const` is checked
/// when it is called.
///
/// ```
/// use sse_wire::{Message, event_type};
///
/// let message = Message::data("42.50").event(event_type!("trade"));
/// ```
///
/// ```compile_fail
/// let two_lines = sse_wire::event_type!("trade\ndata: 0");
/// ```
#[macro_export]
macro_rules! event_type {
    ($text:expr) => {
        const { $crate::EventType::from_static($text) }
    };
}

/// A reason for which a text cannot be an [`EventId`] or an [`EventType`].
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{} {}", self.field(), self.reason())]
#[non_exhaustive]
pub enum InvalidField {
    /// An id or type with CR or LF would end its line and inject fields into the stream.
    LineBreak {
        /// `id` or `event`.
        field: &'static str,
    },
    /// Clients ignore an id with NUL.
    Nul,
    /// A client could not send an id back that has a control character other than TAB.
    Control,
    /// A space or TAB at the beginning or end of an id would not come back.
    Blank,
    /// An empty type means the same as none.
    Empty,
}

impl InvalidField {
    const fn field(self) -> &'static str {
        match self {
            Self::LineBreak { field } => field,
            Self::Nul | Self::Control | Self::Blank => "id",
            Self::Empty => "event",
        }
    }

    /// Returns the text without the field, at compile time, too.
    const fn reason(self) -> &'static str {
        match self {
            Self::LineBreak { .. } => "holds a line break; it must be one line",
            Self::Nul => "holds a NUL character; clients would ignore it",
            Self::Control => "holds a control character, which no header can carry; leave it out",
            Self::Blank => "begins or ends with a space or a tab, which HTTP removes; trim it",
            Self::Empty => "is empty; leave it out instead",
        }
    }
}

const fn check_id(text: &str) -> Result<(), InvalidField> {
    if contains(text, b'\n') || contains(text, b'\r') {
        return Err(InvalidField::LineBreak { field: "id" });
    }
    if contains(text, 0) {
        return Err(InvalidField::Nul);
    }
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if first.is_ascii_control() && *first != b'\t' {
            return Err(InvalidField::Control);
        }
        rest = tail;
    }
    match text.as_bytes() {
        [b' ' | b'\t', ..] | [.., b' ' | b'\t'] => Err(InvalidField::Blank),
        _ => Ok(()),
    }
}

const fn check_type(text: &str) -> Result<(), InvalidField> {
    if contains(text, b'\n') || contains(text, b'\r') {
        Err(InvalidField::LineBreak { field: "event" })
    } else if text.is_empty() {
        Err(InvalidField::Empty)
    } else {
        Ok(())
    }
}

/// Finds a byte as `memchr` would, but also at compile time.
const fn contains(text: &str, byte: u8) -> bool {
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if *first == byte {
            return true;
        }
        rest = tail;
    }
    false
}

/// Implements the same conversions for both newtypes: every one goes through the check.
macro_rules! conversions {
    ($name:ident, $check:ident) => {
        impl $name {
            /// Makes one of text in the program, without a copy.
            ///
            /// # Panics
            ///
            /// If the text is not valid; in a `const` that is an error of the compiler. For text
            /// from anywhere else use `try_from` or `parse`.
            pub const fn from_static(text: &'static str) -> Self {
                match $check(text) {
                    Ok(()) => Self(Text::from_static(text)),
                    Err(error) => panic!("{}", error.reason()),
                }
            }

            /// Returns the text.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl TryFrom<&str> for $name {
            type Error = InvalidField;

            fn try_from(text: &str) -> Result<Self, InvalidField> {
                $check(text)?;
                Ok(Self(text.into()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidField;

            fn try_from(text: String) -> Result<Self, InvalidField> {
                $check(&text)?;
                Ok(Self(text.into()))
            }
        }

        impl FromStr for $name {
            type Err = InvalidField;

            fn from_str(text: &str) -> Result<Self, InvalidField> {
                text.try_into()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.as_str().to_owned()
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.as_str() == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.as_str() == *other
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self.as_str(), f)
            }
        }
    };
}

/// Numbers are ids as they are.
macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl From<$number> for EventId {
            fn from(number: $number) -> Self {
                // Digits and a sign are never refused.
                Self(number.to_string().into())
            }
        }
    )*};
}

numbers!(
    u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize
);

conversions!(EventId, check_id);
conversions!(EventType, check_type);
