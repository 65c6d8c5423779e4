//! A decoder of other people, as far as it claims to behave as a browser.

use peer::{SseDecoder, SseEvent};

use crate::seen::{Decoded, Seen};

/// Checks that the peer gives out the same items, without comments and with its own limit of the
/// reconnection time.
pub(crate) fn check(stream: &[u8], expected: &Decoded) {
    let mut decoder = SseDecoder::new();
    let mut input = stream;
    let mut given = Vec::new();
    while let Some(event) = decoder.next(&mut input) {
        given.push(seen(event.expect("a stream far below its limit")));
    }
    let expected_of_it: Vec<&Seen> = expected
        .items
        .iter()
        .map(|(_, item)| item)
        .filter(|item| is_known(item))
        .collect();
    assert_eq!(given.iter().collect::<Vec<_>>(), expected_of_it);
    let last_event_id = decoder.last_event_id().map_or("", |id| &**id);
    assert_eq!(last_event_id, expected.last_event_id);
}

fn seen(event: SseEvent) -> Seen {
    match event {
        SseEvent::Message(message) => Seen::Event {
            id: message
                .last_event_id
                .map_or(String::new(), |id| id.to_string()),
            event: message.event.into_owned(),
            data: message.data,
        },
        SseEvent::Retry(millis) => Seen::Retry(millis.into()),
    }
}

fn is_known(item: &Seen) -> bool {
    match item {
        Seen::Event { .. } => true,
        Seen::Comment(_) => false,
        Seen::Retry(millis) => u32::try_from(*millis).is_ok(),
    }
}
