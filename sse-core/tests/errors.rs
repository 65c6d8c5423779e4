//! The output of a `main` that returns an error, which is its `Debug`: the text that says what to
//! do.

use std::error::Error;

use sse_core::{
    EventId, Message, PublishError, SubscribeError,
    provider::ProviderClosed,
    replay::{ReadError, StoreError},
    resume::Gap,
};

#[test]
fn a_main_that_returns_an_error_prints_its_text() {
    let publish = PublishError::TooLarge { size: 9, limit: 8 };
    let errors: [Box<dyn Error>; 7] = [
        ProviderClosed.into(),
        publish.into(),
        PublishError::from(StoreError::new("disk full")).into(),
        SubscribeError::Full { limit: 8 }.into(),
        SubscribeError::Gap(Gap::Unknown).into(),
        EventId::try_from("a\n").unwrap_err().into(),
        "data".parse::<Message>().unwrap_err().into(),
    ];
    for error in errors {
        let printed = format!("Error: {error:?}");
        assert_eq!(printed, format!("Error: {error}"));
    }
}

#[test]
fn a_cause_is_told_once_in_the_text() {
    let stored = || StoreError::new("disk full");
    let errors: [Box<dyn Error>; 6] = [
        stored().into(),
        ReadError::from(stored()).into(),
        PublishError::from(stored()).into(),
        SubscribeError::from(stored()).into(),
        PublishError::Provider("disk full".into()).into(),
        SubscribeError::Provider("disk full".into()).into(),
    ];
    for error in errors {
        assert!(error.to_string().ends_with("disk full"), "{error}");
        assert!(error.source().is_none(), "{error}");
    }
}

#[test]
fn a_topic_that_a_history_cannot_store_is_the_error_of_the_client() {
    let (size, limit) = (60_001, 60_000);
    let too_long = || StoreError::TopicTooLong { size, limit };
    let published = PublishError::from(too_long());
    let subscribed = SubscribeError::from(too_long());
    assert_eq!((published.status(), subscribed.status()), (400, 400));
    for text in [published.public_text(), subscribed.public_text()] {
        assert!(text.contains("the limit is 60000"), "{text}");
    }
}
