//! Short streams, one for each rule that a decoder can get wrong (HTML, 9.2.5 and 9.2.6).

use super::{Case, case, comment, event, message, retry};

pub(super) fn cases() -> Vec<Case> {
    [
        characters(),
        byte_order_marks(),
        line_ends(),
        lines(),
        ids(),
        types_and_data(),
        retries(),
        ends(),
    ]
    .concat()
}

fn characters() -> Vec<Case> {
    vec![
        case(
            "a byte that is not UTF-8 in data",
            b"data: a\xffb\n\ndata: c\n\n",
            [message("a\u{fffd}b"), message("c")],
        ),
        case(
            "a character that is cut off by the line end",
            b"data: \xe2\x82\ndata: b\n\n",
            [message("\u{fffd}\nb")],
        ),
        case(
            "a byte that is not UTF-8 in a comment",
            b": \xff\ndata: a\n\n",
            [comment("\u{fffd}"), message("a")],
        ),
        case(
            "a byte that is not UTF-8 in type and id",
            b"event: \xc0\nid: \xf8\ndata: a\n\n",
            [event("\u{fffd}", "\u{fffd}", "a")],
        ),
        case(
            "a byte that is not UTF-8 in a name",
            b"\xffdata: a\ndata\xff: b\ndata: c\n\n",
            [message("c")],
        ),
        case(
            "characters of two, three and four bytes",
            "data: \u{e9}\u{20ac}\u{1f600}\n\n",
            [message("\u{e9}\u{20ac}\u{1f600}")],
        ),
        case("NUL in data", "data: a\0b\n\n", [message("a\0b")]),
    ]
}

fn byte_order_marks() -> Vec<Case> {
    vec![
        case("a mark at the start", "\u{feff}data: a\n\n", [message("a")]),
        case("two marks at the start", "\u{feff}\u{feff}data: a\n\n", []),
        case(
            "a mark at the start of a later event",
            "data: a\n\n\u{feff}data: b\n\n",
            [message("a")],
        ),
        case(
            "a mark at the start of data",
            "data: \u{feff}a\n\n",
            [message("\u{feff}a")],
        ),
        case(
            "a mark alone on its line",
            "\u{feff}\ndata: a\n\n",
            [message("a")],
        ),
        case("a mark before a comment", "\u{feff}: a\n\n", [comment("a")]),
        case(
            "half a mark",
            b"\xef\xbbdata: a\n\ndata: b\n\n",
            [message("b")],
        ),
    ]
}

fn line_ends() -> Vec<Case> {
    let both = || [message("a\nb"), message("c")];
    vec![
        case("LF", "data: a\ndata: b\n\ndata: c\n\n", both()),
        case("CR", "data: a\rdata: b\r\rdata: c\r\r", both()),
        case("CRLF", "data: a\r\ndata: b\r\n\r\ndata: c\r\n\r\n", both()),
        case(
            "mixed line ends",
            "data: a\n\rdata: b\r\n\ndata: c\r\r\ndata: d\r\n\r",
            ["a", "b", "c", "d"].map(message),
        ),
        case("CR CR and nothing more", "data: a\r\r", [message("a")]),
        case("CRLF CR and nothing more", "data: a\r\n\r", [message("a")]),
        case("LF at the start", "\ndata: a\n\n", [message("a")]),
        case("CRLF at the start", "\r\ndata: a\n\n", [message("a")]),
        case(
            "characters that end lines elsewhere",
            "data: a\u{85}b\u{2028}c\u{2029}d\u{b}e\u{c}f\n\n",
            [message("a\u{85}b\u{2028}c\u{2029}d\u{b}e\u{c}f")],
        ),
    ]
}

fn lines() -> Vec<Case> {
    vec![
        case(
            "comments",
            ":\n: hi\n:  two\n:a:b\n\n",
            ["", "hi", " two", "a:b"].map(comment),
        ),
        case(
            "a comment inside an event",
            "data: a\n: hi\ndata: b\n\n",
            [comment("hi"), message("a\nb")],
        ),
        case(
            "one leading space is removed",
            "data:a\n\ndata: b\n\ndata:  c\n\ndata:\td\n\n",
            ["a", "b", " c", "\td"].map(message),
        ),
        case("colons in a value", "data: a:b: c\n\n", [message("a:b: c")]),
        case("data without colon", "data\n\n", [message("")]),
        case(
            "data without colon, twice",
            "data\ndata\n\n",
            [message("\n")],
        ),
        case(
            "event without colon",
            "event: x\nevent\ndata: a\n\n",
            [message("a")],
        ),
        case("id without colon", "id: 1\nid\ndata: a\n\n", [message("a")]),
        case("retry without colon", "retry\ndata: a\n\n", [message("a")]),
        case(
            "names that are not quite those",
            "Data: a\ndata : b\n data: c\nDATA: d\ndatas: e\ndat: f\n\ndata: g\n\n",
            [message("g")],
        ),
        case("blank lines", "\n\n\ndata: a\n\n\n\n", [message("a")]),
    ]
}

fn ids() -> Vec<Case> {
    vec![
        case(
            "an id stays",
            "id: 1\ndata: a\n\ndata: b\n\n",
            [event("1", "message", "a"), event("1", "message", "b")],
        ),
        case(
            "an id without data",
            "id: 9\n\ndata: a\n\n",
            [event("9", "message", "a")],
        ),
        case(
            "an empty id resets",
            "id: 1\ndata: a\n\nid:\ndata: b\n\n",
            [event("1", "message", "a"), message("b")],
        ),
        case(
            "the last id wins",
            "id: 1\nid: 2\ndata: a\n\n",
            [event("2", "message", "a")],
        ),
        case(
            "an id with NUL",
            "id: 1\nid: 2\0\ndata: a\n\n",
            [event("1", "message", "a")],
        ),
        case(
            "an id that is not ASCII",
            "id: \u{fc}\ndata: a\n\n",
            [event("\u{fc}", "message", "a")],
        ),
    ]
}

fn types_and_data() -> Vec<Case> {
    vec![
        case(
            "a type is for its event only",
            "event: x\ndata: a\n\ndata: b\n\n",
            [event("", "x", "a"), message("b")],
        ),
        case(
            "the last type wins",
            "event: x\nevent: y\ndata: a\n\n",
            [event("", "y", "a")],
        ),
        case(
            "an empty type resets",
            "event: x\nevent:\ndata: a\n\n",
            [message("a")],
        ),
        case(
            "a type without data",
            "event: x\n\ndata: a\n\n",
            [message("a")],
        ),
        case("empty data", "data:\n\n", [message("")]),
        case("empty data with a space", "data: \n\n", [message("")]),
        case(
            "empty lines of data",
            "data:\ndata: a\ndata:\ndata: b\ndata:\n\n",
            [message("\na\n\nb\n")],
        ),
    ]
}

fn retries() -> Vec<Case> {
    vec![
        case("retry alone", "retry: 4000\n\n", [retry(4000)]),
        case(
            "retry with an event",
            "retry: 7\ndata: a\n\ndata: b\n\n",
            [retry(7), message("a"), message("b")],
        ),
        case(
            "retry with leading zeros",
            "data: a\nretry: 007\n\n",
            [retry(7), message("a")],
        ),
        case(
            "retry of no time",
            "data: a\nretry: 0\n\n",
            [retry(0), message("a")],
        ),
        case(
            "retry that is too large",
            "data: a\nretry: 99999999999999999999999\n\n",
            [retry(u64::MAX), message("a")],
        ),
        case("retry +5", "data: a\nretry: +5\n\n", [message("a")]),
        case(
            "retry that is no number",
            "data: a\nretry: -5\nretry:  5\nretry: 5 \nretry: 1.5\nretry: 5s\nretry: 0x5\nretry:\n\n",
            [message("a")],
        ),
        case(
            "retry in other digits",
            "data: a\nretry: \u{665}\n\n",
            [message("a")],
        ),
        case(
            "a valid retry, then another",
            "data: a\nretry: 5\nretry: x\n\n",
            [retry(5), message("a")],
        ),
    ]
}

fn ends() -> Vec<Case> {
    vec![
        case("nothing", "", []),
        case(
            "an event without its blank line",
            "data: a\n\ndata: b\n",
            [message("a")],
        ),
        case(
            "an event without its line end",
            "data: a\n\ndata: b",
            [message("a")],
        ),
        case(
            "an id without its blank line",
            "id: 1\ndata: a\n\nid: 2\n",
            [event("1", "message", "a")],
        ),
        case(
            "retry without its blank line",
            "data: a\n\nretry: 5\n",
            [message("a"), retry(5)],
        ),
        case(
            "retry without its line end",
            "data: a\n\nretry: 5",
            [message("a")],
        ),
    ]
}
