//! Properties that hold for any text, and however a stream is cut.

use std::time::Duration;

use proptest::{collection::vec, option, prelude::*};
use sse_wire::{Decoder, EventId, Item, Message};

/// Returns any Unicode text, in which the characters that break careless encoders are far more
/// frequent than by chance.
fn text() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        4 => any::<char>(),
        2 => proptest::sample::select(vec!['\r', '\n', '\0', '\u{feff}', '\u{2028}', '\u{85}', ':', ' ', '\t']),
        1 => proptest::char::range('a', 'f'),
    ];
    vec(character, 0..24).prop_map(String::from_iter)
}

/// Returns any id that can be published.
fn id() -> impl Strategy<Value = EventId> {
    let kept = |character: &char| !character.is_ascii_control() || *character == '\t';
    let blank = |character: char| " \t".contains(character);
    text().prop_map(move |text| {
        let text: String = text.chars().filter(kept).collect();
        let id = text.trim_matches(blank).try_into();
        id.expect("nothing else is refused")
    })
}

fn message() -> impl Strategy<Value = Message> {
    let retry = option::of(any::<u64>());
    (
        option::of(id()),
        option::of(text()),
        retry,
        text(),
        option::of(text()),
    )
        .prop_map(|(id, event, retry, data, comment)| {
            let mut message = Message::data(data);
            if let Some(id) = id {
                message = message.id(id);
            }
            if let Some(event) = event.and_then(|event| event.try_into().ok()) {
                message = message.event(event);
            }
            if let Some(retry) = retry {
                message = message.retry(Duration::from_millis(retry));
            }
            match comment {
                Some(comment) => message.comment(comment),
                None => message,
            }
        })
}

/// Returns bytes that look like an event stream, more or less.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => proptest::sample::select(vec![
            "data: ", "data", "event: ", "id: ", "id", "retry: ", "retry: 12", ":", ": ", " ", "\n", "\r", "\r\n",
            "\n\n", "\r\r", "\r\n\r\n", "\u{feff}", "\0", "x", "\u{1f600}",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..4),
    ];
    vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// Returns complete lines, most of them of an event, so that a chunk often has the rest of a line
/// and whole lines after it.
fn lines() -> impl Strategy<Value = Vec<u8>> {
    let line = proptest::sample::select(vec![
        &b"data: a\n"[..],
        b"data\r\n",
        b"data:\r",
        b"event: b\n",
        b"event\r",
        b"id: c\n",
        b"id\n",
        b"retry: 1\n",
        b": d\n",
        b"e: f\n",
        b"data: \xf0\x9f\x98\x80\n",
        b"data: \xff\n",
        b"id: \xff\n",
        b"event: \xff\n",
        b"\n",
        b"\n",
        b"\r",
        b"\r\n",
    ]);
    vec(line, 0..60).prop_map(|lines| lines.concat())
}

/// Returns everything that comes out, each with the number of bytes that had been fed by then.
fn decode<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> (Vec<(usize, String)>, String) {
    let mut decoder = Decoder::new();
    let mut seen = Vec::new();
    let mut fed = 0;
    for chunk in chunks {
        let mut input = chunk;
        while let Some(item) = decoder.next(&mut input).unwrap() {
            let text = format!("{item:?}");
            seen.push((fed + chunk.len() - input.len(), text));
        }
        fed += chunk.len();
    }
    (seen, decoder.last_event_id().to_owned())
}

fn cut<'a>(mut stream: &'a [u8], lengths: &[usize]) -> Vec<&'a [u8]> {
    let mut chunks = Vec::new();
    for &length in lengths.iter().cycle() {
        if stream.is_empty() || lengths.is_empty() {
            break;
        }
        let (chunk, rest) = stream.split_at(length.min(stream.len()));
        chunks.push(chunk);
        stream = rest;
    }
    chunks.push(stream);
    chunks
}

proptest! {
    #[test]
    fn a_printed_message_is_parsed_back(message in message()) {
        prop_assert_eq!(message.to_string().parse::<Message>(), Ok(message));
    }

    #[test]
    fn a_message_is_exactly_one_event(message in message()) {
        let bytes = message.to_bytes();
        let mut input = &bytes[..];
        let mut decoder = Decoder::new();
        let mut events = 0;
        while let Some(item) = decoder.next(&mut input).unwrap() {
            match item {
                Item::Event(event) => {
                    events += 1;
                    prop_assert_eq!(event.id, message.id.as_ref().map_or("", |id| id.as_str()));
                    prop_assert_eq!(event.event, message.event.as_ref().map_or("message", |event| event.as_str()));
                    prop_assert_eq!(Some(event.data), message.data.as_deref());
                }
                Item::Retry(retry) => prop_assert_eq!(Some(retry), message.retry),
                Item::Comment(text) => prop_assert!(message.comment.as_deref().unwrap().split('\n').any(|line| line == text)),
                other => prop_assert!(false, "{:?}", other),
            }
        }
        prop_assert_eq!(events, 1);
    }

    #[test]
    fn the_same_comes_out_however_the_bytes_are_cut(stream in stream(), lengths in vec(1_usize..9, 1..6)) {
        // The positions prove that each item comes with its last byte and not later.
        let whole = decode([&stream[..]]);
        prop_assert_eq!(&decode(stream.chunks(1)), &whole);
        prop_assert_eq!(&decode(cut(&stream, &lengths)), &whole);
    }

    #[test]
    fn the_same_comes_out_of_chunks_that_hold_several_lines(stream in lines(), lengths in vec(1_usize..60, 1..6)) {
        let bytewise = decode(stream.chunks(1));
        prop_assert_eq!(&decode([&stream[..]]), &bytewise);
        prop_assert_eq!(&decode(cut(&stream, &lengths)), &bytewise);
    }
}
