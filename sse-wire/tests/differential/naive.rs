//! A decoder that is the standard word for word (HTML, 9.2.6), over the whole stream at once: slow,
//! and too plain to be wrong.
//!
//! It shares no code with `sse-core`, which is compared with it.

use crate::seen::{Decoded, Seen};

/// The state that the standard keeps while it reads a stream.
#[derive(Default)]
struct Buffers {
    data: String,
    event_type: String,
    last_event_id: String,
}

/// Returns the items that a browser makes of the stream, each at the first byte of its line's end.
pub(crate) fn decode(stream: &[u8]) -> Decoded {
    let text = String::from_utf8_lossy(stream);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut lines: Vec<&str> = text.split('\n').collect();
    lines.pop(); // It has no end, so it is no line yet.

    let mut buffers = Buffers::default();
    let mut decoded = Decoded::default();
    for (line, position) in lines.into_iter().zip(line_ends(stream)) {
        let item = if line.is_empty() {
            decoded.last_event_id.clone_from(&buffers.last_event_id);
            dispatch(&mut buffers)
        } else {
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            process(
                &mut buffers,
                field,
                value.strip_prefix(' ').unwrap_or(value),
            )
        };
        decoded.items.extend(item.map(|item| (position, item)));
    }
    decoded
}

/// Returns the positions after the first byte of each line end.
pub(crate) fn line_ends(stream: &[u8]) -> impl Iterator<Item = usize> {
    (0..stream.len())
        .filter(|&at| match stream[at] {
            b'\r' => true,
            b'\n' => at == 0 || stream[at - 1] != b'\r',
            _ => false,
        })
        .map(|at| at + 1)
}

fn process(buffers: &mut Buffers, field: &str, value: &str) -> Option<Seen> {
    match field {
        "" => return Some(Seen::Comment(value.to_owned())),
        "event" => value.clone_into(&mut buffers.event_type),
        "data" => {
            buffers.data.push_str(value);
            buffers.data.push('\n');
        }
        "id" if !value.contains('\0') => value.clone_into(&mut buffers.last_event_id),
        "retry" if !value.is_empty() && value.chars().all(|char| char.is_ascii_digit()) => {
            // Digits that cannot be parsed are too large a number.
            return Some(Seen::Retry(value.parse().unwrap_or(u64::MAX)));
        }
        _ => {}
    }
    None
}

fn dispatch(buffers: &mut Buffers) -> Option<Seen> {
    let mut data = std::mem::take(&mut buffers.data);
    let mut event = std::mem::take(&mut buffers.event_type);
    if data.is_empty() {
        return None;
    }
    data.pop(); // The LF of its last line.
    if event.is_empty() {
        "message".clone_into(&mut event);
    }
    let id = buffers.last_event_id.clone();
    Some(Seen::Event { id, event, data })
}
