//! An id on its way back: what a client sends is what was published.

use proptest::prelude::*;
use sse_core::{EventId, ResumeFrom};

/// Returns any id that can be published.
fn id() -> impl Strategy<Value = EventId> {
    "[\t\\PC]{0,24}".prop_filter_map("an id", |text| EventId::try_from(text).ok())
}

#[test]
fn an_id_that_cannot_be_published_is_unreadable_and_any_other_comes_back() {
    for bad in [" a", "a ", "\ta", "a\t", " ", "\t", " \t "] {
        assert_eq!(
            ResumeFrom::from_bytes(bad.as_bytes()),
            ResumeFrom::Unreadable
        );
    }
    for good in [
        "",
        "a b",
        "a\tb",
        "gr\u{fc}n",
        "\u{85}",
        "\u{a0}a\u{2003}",
        "\u{1f600}",
    ] {
        let id = EventId::try_from(good).expect("a valid id");
        assert_eq!(
            ResumeFrom::from_bytes(good.as_bytes()),
            ResumeFrom::from(id)
        );
    }
}

proptest! {
    #[test]
    fn an_id_comes_back_from_a_header_as_it_is(id in id()) {
        // What HTTP does to a value on its way.
        let value = id.as_str().trim_matches([' ', '\t']);
        prop_assert!(value.bytes().all(|byte| byte == b'\t' || !byte.is_ascii_control()));
        prop_assert_eq!(ResumeFrom::from_bytes(value.as_bytes()), ResumeFrom::from(id));
    }
}
