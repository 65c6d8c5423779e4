//! The names by which HTTP knows an event stream.

/// The media type of an event stream.
pub const MEDIA_TYPE: &str = "text/event-stream";

/// The header in which a client says where to continue. Its value is UTF-8 bytes, not ASCII text.
pub const LAST_EVENT_ID: &str = "last-event-id";

/// Returns `true` for the media type of an event stream, with any parameters.
pub fn is_event_stream(content_type: &[u8]) -> bool {
    let essence = content_type
        .split(|byte| *byte == b';')
        .next()
        .unwrap_or_default();
    essence
        .trim_ascii()
        .eq_ignore_ascii_case(MEDIA_TYPE.as_bytes())
}
