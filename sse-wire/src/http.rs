//! The names by which HTTP knows an event stream.

/// The media type of an event stream.
pub const MEDIA_TYPE: &str = "text/event-stream";

/// The header in which a client says where to continue. Its value is UTF-8 bytes, not ASCII text.
pub const LAST_EVENT_ID: &str = "last-event-id";

/// Returns `true` if `Content-Type` says that a body is an event stream, with any parameters.
///
/// The type is extracted as Fetch does ([Fetch, 3.2]): of a list, which is also how several headers
/// are joined, the last valid type counts.
///
/// [Fetch, 3.2]: https://fetch.spec.whatwg.org/#content-type-header
pub fn is_event_stream(content_type: &[u8]) -> bool {
    let types = list(content_type).filter_map(essence);
    types
        .last()
        .is_some_and(|last| last.eq_ignore_ascii_case(MEDIA_TYPE.as_bytes()))
}

/// Returns the elements of a list; a comma in a quoted string separates nothing.
fn list(mut value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut ended = false;
    std::iter::from_fn(move || {
        if ended {
            return None;
        }
        let (mut quoted, mut escaped) = (false, false);
        let end = value.iter().position(|&byte| {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                b',' if !quoted => return true,
                _ => {}
            }
            false
        });
        let Some(end) = end else {
            ended = true;
            return Some(value);
        };
        let element = &value[..end];
        value = &value[end + 1..];
        Some(element)
    })
}

/// Returns `type/subtype` without the parameters, or `None` if it is not a media type, or `*/*`.
fn essence(value: &[u8]) -> Option<&[u8]> {
    let essence = value.split(|byte| *byte == b';').next()?.trim_ascii();
    let slash = essence.iter().position(|byte| *byte == b'/')?;
    let (kind, subtype) = (&essence[..slash], &essence[slash + 1..]);
    let is_token = |text: &[u8]| !text.is_empty() && text.iter().all(|byte| is_token_byte(*byte));
    (is_token(kind) && is_token(subtype) && essence != b"*/*").then_some(essence)
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_valid_type_of_a_list_counts() {
        for (value, expected) in [
            ("text/event-stream", true),
            (" Text/Event-Stream ;charset=utf-8", true),
            ("text/event-stream;", true),
            ("application/json, text/event-stream; charset=utf-8", true),
            ("text/event-stream, text/html", false),
            ("text/event-stream, */*", true),
            ("text/event-stream, nonsense", true),
            ("text/event-stream,", true),
            ("text/html; a=\", text/event-stream\"", false),
            ("text/html; a=\"\\\", text/event-stream\"", false),
            ("text/html; a=\"\", text/event-stream", true),
            ("text / event-stream", false),
            ("text/event-streams", false),
            ("", false),
        ] {
            assert_eq!(is_event_stream(value.as_bytes()), expected, "{value}");
        }
    }
}
