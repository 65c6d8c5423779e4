//! The standard as a checklist for a producer (HTML 9.2.5 and 9.2.6), and the values that a
//! `Message` can and cannot hold.

use std::time::Duration;

use sse_wire::{EventId, EventType, InvalidField, Message, ParseMessageError, event_type};

fn id(text: &str) -> EventId {
    text.try_into().unwrap()
}

fn event(text: &str) -> EventType {
    text.try_into().unwrap()
}

#[track_caller]
fn encodes(message: &Message, expected: &str) {
    assert_eq!(message.to_string(), expected);
    assert_eq!(message.to_bytes(), expected);
}

#[test]
fn messages_are_utf8_with_lf_and_no_byte_order_mark() {
    encodes(
        &Message::data("gr\u{fc}\u{df} \u{1f600}"),
        "data: gr\u{fc}\u{df} \u{1f600}\n\n",
    );
    assert!(!Message::data("a\r\nb\rc").to_bytes().contains(&b'\r'));
    encodes(&Message::data("\u{feff}a"), "data: \u{feff}a\n\n");
}

#[test]
fn ids_types_and_comments_cannot_inject_fields() {
    for bad in ["a\nb", "a\rb", "a\r\nb", "\n", "\r"] {
        assert_eq!(
            EventId::try_from(bad),
            Err(InvalidField::LineBreak { field: "id" })
        );
        assert_eq!(
            bad.parse::<EventId>(),
            Err(InvalidField::LineBreak { field: "id" })
        );
        assert_eq!(
            EventId::try_from(bad.to_owned()),
            Err(InvalidField::LineBreak { field: "id" })
        );
        assert_eq!(
            EventType::try_from(bad),
            Err(InvalidField::LineBreak { field: "event" })
        );
        assert_eq!(
            bad.parse::<EventType>(),
            Err(InvalidField::LineBreak { field: "event" })
        );
        assert_eq!(
            EventType::try_from(bad.to_owned()),
            Err(InvalidField::LineBreak { field: "event" })
        );
    }
    assert_eq!(EventId::try_from("a\0"), Err(InvalidField::Nul));
    assert_eq!(EventType::try_from(""), Err(InvalidField::Empty));
    encodes(
        &Message::data("x").comment("a\ndata: b\rdata: c"),
        ": a\n: data: b\n: data: c\ndata: x\n\n",
    );
}

/// Checks that an id comes back in a header as it was published. Otherwise a client would be shut
/// out by a 400 or be told of a gap.
#[test]
fn an_id_is_text_that_a_header_can_carry() {
    let control = (1..0x20).chain([0x7f]).map(char::from);
    for character in control.filter(|character| !"\t\n\r".contains(*character)) {
        let expected = Err(InvalidField::Control);
        for bad in [format!("a{character}b"), character.into()] {
            assert_eq!(EventId::try_from(bad.as_str()), expected, "{bad:?}");
        }
    }
    for bad in [" a", "a ", "\ta", "a\t", " ", "\t", " \t "] {
        let expected = Err(InvalidField::Blank);
        assert_eq!(EventId::try_from(bad), expected, "{bad:?}");
    }
    for good in [
        "",
        "a b",
        "a\tb",
        "gr\u{fc}n",
        "\u{85}",
        "\u{a0}a\u{2003}",
        "\u{1f600}",
    ] {
        assert_eq!(id(good), good);
    }
    // A type does not come back.
    assert_eq!(event(" a\u{1}\u{7f} "), " a\u{1}\u{7f} ");
}

#[test]
fn the_error_of_a_field_says_what_to_do() {
    let rows = [
        ("a\n", "id holds a line break; it must be one line"),
        ("\0", "id holds a NUL character; clients would ignore it"),
        (
            "\u{7f}",
            "id holds a control character, which no header can carry; leave it out",
        ),
        (
            " a",
            "id begins or ends with a space or a tab, which HTTP removes; trim it",
        ),
    ];
    for (bad, text) in rows {
        assert_eq!(EventId::try_from(bad).unwrap_err().to_string(), text);
    }
    let error = EventType::try_from("").unwrap_err();
    assert_eq!(error.to_string(), "event is empty; leave it out instead");
}

#[test]
fn each_line_of_data_is_a_line() {
    encodes(
        &Message::data("a\nb\rc\r\nd\n\ne"),
        "data: a\ndata: b\ndata: c\ndata: d\ndata: \ndata: e\n\n",
    );
    encodes(&Message::data("a\n"), "data: a\ndata: \n\n");
    encodes(&Message::data("a\revent: x"), "data: a\ndata: event: x\n\n");
}

#[test]
fn there_is_always_a_space_after_the_colon() {
    encodes(
        &Message::data(" a").id(id("1")).event(event(" e")),
        "id: 1\nevent:  e\ndata:  a\n\n",
    );
}

#[test]
fn empty_data_is_sent() {
    encodes(&Message::data(""), "data: \n\n");
    encodes(&Message::data("").id(id("")), "id: \ndata: \n\n");
}

#[test]
fn retry_is_whole_milliseconds() {
    encodes(
        &Message::data("").retry(Duration::from_micros(1_999)),
        "retry: 1\ndata: \n\n",
    );
    encodes(
        &Message::data("").retry(Duration::ZERO),
        "retry: 0\ndata: \n\n",
    );
    encodes(
        &Message::data("").retry(Duration::MAX),
        &format!("retry: {}\ndata: \n\n", u64::MAX),
    );
}

#[test]
fn every_block_except_a_lone_comment_ends_with_a_blank_line() {
    encodes(&Message::default().id(id("1")), "id: 1\n\n");
    encodes(
        &Message::default().retry(Duration::from_secs(1)),
        "retry: 1000\n\n",
    );
    encodes(&Message::default().comment("hi"), ": hi\n");
    encodes(&Message::default(), "");
}

#[test]
fn fields_stand_in_the_order_comment_id_event_retry_data() {
    let message = Message::data("d")
        .retry(Duration::from_secs(1))
        .event(event("e"))
        .id(id("i"))
        .comment("c");
    encodes(&message, ": c\nid: i\nevent: e\nretry: 1000\ndata: d\n\n");
}

#[test]
fn a_message_is_parsed_as_a_client_reads_it() {
    let text =
        "\u{feff}id: 1\r\nid: x\0\r\nretry: +1\rretry: 5\nevent:e\nfoo: bar\n:c\ndata:  a\ndata\n";
    let expected = Message::data(" a\n")
        .id(id("1"))
        .event(event("e"))
        .retry(Duration::from_millis(5))
        .comment("c");
    assert_eq!(text.parse(), Ok(expected));
}

#[test]
fn an_id_that_no_client_could_send_back_is_not_taken_from_a_text() {
    let text = "id: 1\nid:  2\nid: 3 \nid: a\u{1}b\ndata: x\n\n";
    assert_eq!(text.parse(), Ok(Message::data("x").id(id("1"))));
}

#[test]
fn a_text_that_is_not_one_message_is_refused() {
    assert_eq!("".parse::<Message>(), Err(ParseMessageError::Empty));
    assert_eq!("\n".parse::<Message>(), Err(ParseMessageError::Empty));
    assert_eq!(
        "foo: bar\n\n".parse::<Message>(),
        Err(ParseMessageError::Empty)
    );
    assert_eq!(
        "data: a".parse::<Message>(),
        Err(ParseMessageError::Unterminated)
    );
    assert_eq!(
        "data: a\n\ndata: b\n\n".parse::<Message>(),
        Err(ParseMessageError::Trailing)
    );
    assert_eq!("data: a\n".parse(), Ok(Message::data("a")));
}

#[test]
fn numbers_are_ids() {
    let rows = [
        (0_u8.into(), "0"),
        (u16::MAX.into(), "65535"),
        (7_u32.into(), "7"),
        (u64::MAX.into(), "18446744073709551615"),
        (7_usize.into(), "7"),
        (42.into(), "42"),
        (i64::MIN.into(), "-9223372036854775808"),
    ];
    for (id, text) in rows {
        let id: EventId = id;
        assert_eq!(id, text);
    }
    encodes(&Message::data("x").id(7.into()), "id: 7\ndata: x\n\n");
}

#[test]
fn a_literal_type_is_checked_by_the_compiler() {
    assert_eq!(event_type!("trade"), event("trade"));
    let message = Message::data("x").event(event_type!("trade"));
    encodes(&message, "event: trade\ndata: x\n\n");
}

#[cfg(feature = "json")]
#[test]
fn json_data_is_one_line() {
    let message = Message::json(&["a\nb", "c"]).unwrap();
    encodes(&message, "data: [\"a\\nb\",\"c\"]\n\n");
}

#[cfg(feature = "serde")]
#[test]
fn serde_goes_through_the_same_checks() {
    let message = Message::data("a\rb")
        .id(id("1"))
        .retry(Duration::from_millis(5));
    let json = serde_json::to_string(&message).unwrap();
    assert_eq!(json, r#"{"id":"1","retry":5,"data":"a\nb"}"#);
    assert_eq!(serde_json::from_str::<Message>(&json).unwrap(), message);
    assert_eq!(
        serde_json::from_str::<Message>(r#"{"data":"a\rb"}"#).unwrap(),
        Message::data("a\nb")
    );
    for bad in [
        r#"{"id":"a\nb"}"#,
        r#"{"id":"\u0000"}"#,
        r#"{"id":"a\u0001"}"#,
        r#"{"id":" a"}"#,
        r#"{"event":"a\rb"}"#,
        r#"{"event":""}"#,
    ] {
        assert!(serde_json::from_str::<Message>(bad).is_err(), "{bad}");
    }
}
