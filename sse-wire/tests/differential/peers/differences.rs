//! The known differences between peers and a browser: faults, and features that a peer does not
//! claim to have.

/// A way in which a peer differs.
#[derive(Debug)]
pub(crate) struct Difference {
    pub(crate) peer: &'static str,
    pub(crate) because: &'static str,
    /// The streams of the corpus that show it, for all cuts or for one.
    pub(crate) cases: &'static [&'static str],
}

/// All differences. The test fails for one that is missing here, and for one that no longer exists.
pub(crate) const DIFFERENCES: &[Difference] = &[
    differs(
        "eventsource-stream",
        "panics: takes one byte for the mark, which has three",
        &[
            "a mark at the start",
            "two marks at the start",
            "a mark alone on its line",
            "a mark before a comment",
            "a mark, then Japanese",
        ],
    ),
    differs(
        "eventsource-stream",
        "keeps everything from a byte that is not UTF-8 to the end of the stream, then an error",
        &[
            "a byte that is not UTF-8 in data",
            "a character that is cut off by the line end",
            "a byte that is not UTF-8 in a comment",
            "a byte that is not UTF-8 in type and id",
            "a byte that is not UTF-8 in a name",
            "half a mark",
        ],
    ),
    differs(
        "eventsource-stream",
        "waits after a CR for the next byte, and at the end of the stream does not give out the event",
        &[
            "CR",
            "mixed line ends",
            "CR CR and nothing more",
            "CRLF CR and nothing more",
            "ticks in CR",
        ],
    ),
    differs(
        "eventsource-stream",
        "has retry only with an event",
        &[
            "retry alone",
            "retry without its blank line",
            "ticks in CRLF, with keep-alive",
        ],
    ),
    differs(
        "eventsource-stream",
        "takes for retry what `u64` can parse",
        &["retry +5", "retry that is too large"],
    ),
    differs(
        "russe",
        "takes a mark at the start for a part of the first line",
        &["a mark at the start", "a mark, then Japanese"],
    ),
    differs(
        "russe",
        "an error for what is not UTF-8, also in a comment",
        &[
            "a byte that is not UTF-8 in data",
            "a character that is cut off by the line end",
            "a byte that is not UTF-8 in a comment",
            "a byte that is not UTF-8 in type and id",
        ],
    ),
    differs("russe", "takes an id with NUL", &["an id with NUL"]),
    differs(
        "russe",
        "an error for a stream that ends inside a block",
        &[
            "an event without its blank line",
            "an event without its line end",
            "an id without its blank line",
            "retry without its line end",
        ],
    ),
    differs(
        "russe",
        "gives out a block at its end, with its retry",
        &["retry without its blank line"],
    ),
    differs(
        "russe",
        "ignores a retry that is too large",
        &["retry that is too large"],
    ),
    differs(
        "sse-stream",
        "an error for what is not UTF-8, except in comments and names",
        &[
            "a byte that is not UTF-8 in data",
            "a character that is cut off by the line end",
            "a byte that is not UTF-8 in type and id",
        ],
    ),
    differs(
        "sse-stream",
        "gives out a block at its end, with its retry",
        &["retry without its blank line"],
    ),
    differs(
        "sse-stream",
        "ignores a retry that is too large",
        &["retry that is too large"],
    ),
];

const fn differs(
    peer: &'static str,
    because: &'static str,
    cases: &'static [&'static str],
) -> Difference {
    Difference {
        peer,
        because,
        cases,
    }
}
