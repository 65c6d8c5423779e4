//! The check that every message passes before a provider gets it.

use crate::{
    error::PublishError,
    resume::Gap,
    wire::{EventId, Message},
};

/// Returns the message as it is published, or the reason why it is refused.
///
/// An empty id counts as none: it would make clients forget where they are, and what they then
/// miss would be missed in silence.
pub(super) fn accept(mut message: Message, max_bytes: usize) -> Result<Message, PublishError> {
    message.id = message.id.filter(|id| !id.is_empty());
    if message.is_empty() {
        return Err(PublishError::Empty);
    }
    let texts = [&message.data, &message.comment];
    let size = texts.into_iter().flatten().map(|text| text.len()).sum();
    if size > max_bytes {
        return Err(PublishError::TooLarge {
            size,
            limit: max_bytes,
        });
    }
    let size = message.id.as_ref().map_or(0, |id| id.as_str().len());
    if size > EventId::MAX_BYTES {
        return Err(PublishError::IdTooLong {
            size,
            limit: EventId::MAX_BYTES,
        });
    }
    if message.event == Some(Gap::EVENT) {
        return Err(PublishError::ReservedType);
    }
    Ok(message)
}
