//! What a `main` that returns an error prints of it, which is its `Debug`: the text that says what
//! to do.

use std::error::Error;

use sse_core::{
    EventId, Message, PublishError, SubscribeError, provider::ProviderClosed, replay::StoreError,
    resume::Gap,
};

#[test]
fn what_a_main_prints_of_an_error_is_its_text() {
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
