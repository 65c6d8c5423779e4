//! The provider suite, and what this provider promises beyond it.

use std::sync::Arc;

use example_custom_provider::{Broadcast, MESSAGE_BYTES};
use sse_axum::{Hub, Message, PublishError, Topics};
use sse_conformance::provider::Subject;

const SUBJECT: Subject = Subject {
    make: || Arc::new(Broadcast::new(1_024)),
    keeps_history: false,
};

sse_conformance::provider_suite!(SUBJECT);

#[tokio::test]
async fn a_message_that_is_too_large_is_refused() {
    let hub = Hub::builder(Broadcast::new(1_024))
        .message_bytes(MESSAGE_BYTES)
        .build();
    for (size, is_accepted) in [(64 << 10, true), ((64 << 10) + 1, false)] {
        let message = Message::data("x".repeat(size));
        let published = hub.publish(message, Topics::default()).await;
        assert_eq!(published.is_ok(), is_accepted, "{published:?}");
        if let Err(error) = published {
            assert!(matches!(error, PublishError::TooLarge { .. }), "{error}");
        }
    }
}
