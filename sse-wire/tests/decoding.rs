//! The standard as a checklist for a decoder: HTML 9.2.5 and 9.2.6, one test for each rule.
//!
//! The rules for a producer are in `encoding.rs`. Rules that need a connection are cases of the
//! adapter suite: comments against proxies, events one by one, a refusal that is no event stream.

use std::time::Duration;

use sse_wire::{DecodeError, Decoder, Event, Item, Limits};

/// An item that came out of a stream, as a value that is easy to write down.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    Event {
        id: String,
        event: String,
        data: String,
    },
    Comment(String),
    Retry(u64),
}

fn event(id: &str, event: &str, data: &str) -> Seen {
    Seen::Event {
        id: id.into(),
        event: event.into(),
        data: data.into(),
    }
}

fn message(data: &str) -> Seen {
    event("", "message", data)
}

fn retry(millis: u64) -> Seen {
    Seen::Retry(millis)
}

fn comment(text: &str) -> Seen {
    Seen::Comment(text.into())
}

impl From<Item<'_>> for Seen {
    fn from(item: Item<'_>) -> Self {
        match item {
            Item::Event(Event {
                id,
                event: kind,
                data,
            }) => event(id, kind, data),
            Item::Comment(text) => comment(&text),
            Item::Retry(duration) => retry(duration.as_millis().try_into().unwrap()),
            other => panic!("an item that this test does not know: {other:?}"),
        }
    }
}

fn feed(decoder: &mut Decoder, chunk: impl AsRef<[u8]>) -> Vec<Seen> {
    let mut input = chunk.as_ref();
    let mut seen = Vec::new();
    while let Some(item) = decoder.next(&mut input).unwrap() {
        seen.push(item.into());
    }
    assert!(input.is_empty(), "all input is read");
    seen
}

#[track_caller]
fn decodes(stream: impl AsRef<[u8]>, expected: &[Seen]) {
    let stream = stream.as_ref();
    assert_eq!(feed(&mut Decoder::new(), stream), expected, "in one chunk");
    let mut decoder = Decoder::new();
    let bytewise: Vec<_> = stream
        .iter()
        .flat_map(|byte| feed(&mut decoder, [*byte]))
        .collect();
    assert_eq!(bytewise, expected, "byte by byte");
}

#[test]
fn utf8_is_decoded_with_replacement() {
    decodes(b"data: a\xffb\n\n", &[message("a\u{fffd}b")]);
    decodes(b"data: \xe2\x82\n\n", &[message("\u{fffd}")]);
    decodes(
        b": \xff\ndata: \xf0\x9f\x98\x80\n\n",
        &[comment("\u{fffd}"), message("\u{1f600}")],
    );
}

#[test]
fn only_one_leading_byte_order_mark_is_stripped() {
    decodes("\u{feff}data: a\n\n", &[message("a")]);
    decodes("\u{feff}\u{feff}data: a\n\n", &[]);
    decodes("data: a\n\n\u{feff}data: b\n\n", &[message("a")]);
    decodes("data: \u{feff}a\n\n", &[message("\u{feff}a")]);
    decodes("\u{feff}\ndata: a\n\n", &[message("a")]);
}

#[test]
fn cr_lf_and_crlf_end_a_line() {
    for end in ["\n", "\r", "\r\n"] {
        decodes(
            format!("data: a{end}data: b{end}{end}data: c{end}{end}"),
            &[message("a\nb"), message("c")],
        );
    }
    decodes("data: a\n\rdata: b\r\n\n", &[message("a"), message("b")]);
}

#[test]
fn a_cr_dispatches_without_waiting_for_the_next_byte() {
    for end in ["\r\r", "\r\n\r", "\n\r", "\n\n"] {
        let mut decoder = Decoder::new();
        assert_eq!(
            feed(&mut decoder, format!("data: a{end}")),
            [message("a")],
            "{end:?}"
        );
        assert_eq!(
            feed(&mut decoder, "\ndata: b\n\n"),
            [message("b")],
            "{end:?}"
        );
    }
}

#[test]
fn nothing_else_ends_a_line() {
    let data = "a\u{85}b\u{2028}c\u{2029}d\u{b}e\u{c}f";
    decodes(format!("data: {data}\n\n"), &[message(data)]);
}

#[test]
fn a_decoder_starts_empty_except_for_the_last_event_id() {
    let mut decoder = Decoder::new().resume_from("7");
    assert_eq!(decoder.last_event_id(), "7");
    assert_eq!(
        feed(&mut decoder, "data: a\n\n"),
        [event("7", "message", "a")]
    );
}

#[test]
fn an_empty_line_dispatches() {
    decodes("data: a\n", &[]);
    decodes("data: a\n\n\n\n", &[message("a")]);
}

#[test]
fn a_line_that_begins_with_a_colon_is_a_comment() {
    decodes(
        ":\n: hi\n:  two\n:a:b\n\n",
        &[comment(""), comment("hi"), comment(" two"), comment("a:b")],
    );
}

#[test]
fn one_leading_space_of_the_value_is_removed() {
    decodes(
        "data:a\n\ndata: b\n\ndata:  c\n\n",
        &[message("a"), message("b"), message(" c")],
    );
    decodes(
        "data:\ta\n\ndata: a:b\n\n",
        &[message("\ta"), message("a:b")],
    );
}

#[test]
fn a_line_without_colon_is_a_field_with_an_empty_value() {
    decodes("data\n\ndata\ndata\n\n", &[message(""), message("\n")]);
    decodes("event: x\nevent\ndata: a\n\n", &[message("a")]);
    decodes("id: 1\nid\ndata: a\n\n", &[message("a")]);
}

#[test]
fn names_are_compared_exactly_and_unknown_ones_ignored() {
    decodes(
        "Data: a\ndata : b\n data: c\nDATA: d\ndatas: e\n\ndata: f\n\n",
        &[message("f")],
    );
}

#[test]
fn the_last_event_field_wins_and_an_empty_one_resets() {
    decodes("event: x\nevent: y\ndata: a\n\n", &[event("", "y", "a")]);
    decodes("event: x\nevent:\ndata: a\n\n", &[message("a")]);
}

#[test]
fn data_lines_are_joined_by_lf() {
    decodes("data: a\ndata:\ndata: b\n\n", &[message("a\n\nb")]);
}

#[test]
fn an_id_with_nul_is_ignored_and_an_empty_one_resets() {
    decodes("id: 1\nid: 2\0\ndata: a\n\n", &[event("1", "message", "a")]);
    decodes(
        "id: 1\ndata: a\n\nid:\ndata: b\n\n",
        &[event("1", "message", "a"), message("b")],
    );
    decodes(
        "id: \u{fc}\ndata: a\n\n",
        &[event("\u{fc}", "message", "a")],
    );
}

#[test]
fn retry_takes_effect_at_once_and_is_clamped() {
    decodes("retry: 4000\n", &[retry(4000)]);
    decodes("retry: 007\nretry: 0\n\n", &[retry(7), retry(0)]);
    decodes("retry: 99999999999999999999999\n", &[retry(u64::MAX)]);
    assert_eq!(
        Decoder::new().next(&mut &b"retry: 1\n"[..]),
        Ok(Some(Item::Retry(Duration::from_millis(1)))),
    );
}

#[test]
fn a_malformed_retry_is_ignored() {
    for value in ["", "+5", "-5", " 5", "5 ", "1.5", "5s", "\u{0665}", "0x5"] {
        decodes(format!("retry: {value}\n\n"), &[]);
    }
}

#[test]
fn a_block_without_data_still_sets_the_last_event_id() {
    let mut decoder = Decoder::new();
    assert_eq!(feed(&mut decoder, "id: 9\n"), []);
    assert_eq!(
        decoder.last_event_id(),
        "",
        "not before the end of the block"
    );
    assert_eq!(feed(&mut decoder, "\n"), []);
    assert_eq!(decoder.last_event_id(), "9");
}

#[test]
fn the_id_stays_for_events_without_one() {
    decodes(
        "id: 1\ndata: a\n\ndata: b\n\n",
        &[event("1", "message", "a"), event("1", "message", "b")],
    );
}

#[test]
fn without_data_nothing_is_dispatched_and_the_type_is_forgotten() {
    decodes("event: x\n\ndata: a\n\n", &[message("a")]);
}

#[test]
fn empty_data_is_dispatched_and_one_trailing_lf_dropped() {
    decodes("data:\n\n", &[message("")]);
    decodes("data: a\ndata:\n\n", &[message("a\n")]);
}

#[test]
fn the_type_is_message_unless_named() {
    decodes(
        "data: a\n\nevent: x\ndata: b\n\n",
        &[message("a"), event("", "x", "b")],
    );
}

#[test]
fn data_and_type_are_cleared_by_dispatch() {
    decodes(
        "event: x\ndata: a\n\ndata: b\n\n",
        &[event("", "x", "a"), message("b")],
    );
}

#[test]
fn an_unfinished_event_at_the_end_is_discarded_with_its_id() {
    let mut decoder = Decoder::new();
    assert_eq!(
        feed(&mut decoder, "id: 1\ndata: a\n\nid: 2\ndata: b\n"),
        [event("1", "message", "a")]
    );
    assert_eq!(decoder.last_event_id(), "1");
}

#[test]
fn a_line_over_the_limit_is_an_error_that_stays_and_names_the_limit() {
    let mut decoder = Decoder::new().limits(Limits::default().line_bytes(8));
    assert_eq!(feed(&mut decoder, "data: 12\n\n"), [message("12")]);
    let error = decoder.next(&mut &b"data: 123\n"[..]).unwrap_err();
    assert_eq!(error, DecodeError::LineTooLong { limit: 8 });
    assert!(error.to_string().contains("8 bytes"), "{error}");
    assert_eq!(decoder.next(&mut &b"data: 1\n\n"[..]), Err(error));
}

#[test]
fn a_line_that_never_ends_is_an_error_before_it_is_buffered_whole() {
    let mut decoder = Decoder::new();
    let chunk = vec![b'x'; 64 << 10];
    let fed = (0..1024)
        .take_while(|_| decoder.next(&mut &chunk[..]).is_ok())
        .count();
    assert_eq!(fed, (4 << 20) / chunk.len(), "the default limit is 4 MiB");
}

#[test]
fn an_event_over_the_limit_is_an_error() {
    let mut decoder = Decoder::new().limits(Limits::default().event_bytes(5));
    assert_eq!(
        feed(&mut decoder, "data: 12\ndata: 34\n\n"),
        [message("12\n34")]
    );
    let error = decoder
        .next(&mut &b"data: 12\ndata: 345\n\n"[..])
        .unwrap_err();
    assert_eq!(error, DecodeError::EventTooLarge { limit: 5 });
    let mut decoder = Decoder::new().limits(Limits::default().event_bytes(5));
    assert!(
        decoder.next(&mut "data\n".repeat(100).as_bytes()).is_err(),
        "empty lines count too"
    );
}

#[test]
fn data_and_type_are_borrowed_from_the_input_where_they_stand_in_one_piece() {
    let input = "id: 1\nevent: x\ndata: a\u{e9}\r\n\r\ndata: b\n\n".as_bytes();
    let lends = |text: &str| input.as_ptr_range().contains(&text.as_ptr());
    let mut decoder = Decoder::new();
    let mut rest = input;
    for data in ["a\u{e9}", "b"] {
        let Ok(Some(Item::Event(event))) = decoder.next(&mut rest) else {
            panic!("no event with {data}");
        };
        assert_eq!(event.data, data);
        assert!(lends(event.data), "the data {data}");
        assert_eq!(lends(event.event), event.event == "x", "the type");
    }
}

#[test]
fn a_mebibyte_in_drips_of_16_bytes_is_the_same_as_in_one_piece() {
    let line = format!("data: {}\n", "x".repeat(63));
    for stream in [
        format!("data: {}\n\n", "x".repeat(1 << 20)),
        format!("{}\n", line.repeat(1 << 14)),
    ] {
        let whole = feed(&mut Decoder::new(), &stream);
        assert_eq!(whole.len(), 1);
        let mut decoder = Decoder::new();
        let drips = stream.as_bytes().chunks(16);
        let seen: Vec<_> = drips.flat_map(|drip| feed(&mut decoder, drip)).collect();
        assert!(seen == whole, "not the same");
    }
}
