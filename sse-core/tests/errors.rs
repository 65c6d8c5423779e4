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
fn a_cause_of_a_history_is_told_once() {
    let stored = || StoreError::new("disk full");
    let errors: [Box<dyn Error>; 2] = [stored().into(), ReadError::from(stored()).into()];
    for error in errors {
        assert_eq!(error.to_string(), "disk full");
        assert!(error.source().is_none());
    }
}
