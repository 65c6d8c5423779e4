//! Topics: a set of names, made from whatever holds them.

use std::{borrow::Cow, sync::Arc};

use sse_core::{Subscription, Topics};

#[test]
fn topics_are_a_set() {
    assert_eq!(Topics::from(["b", "a", "b"]), Topics::from(["a", "b"]));
    assert_eq!(Topics::from(()), Topics::default());
    assert_eq!(
        Topics::default().iter().collect::<Vec<_>>(),
        [Topics::DEFAULT]
    );
    assert!(Topics::from(["a", "b"]).matches(&Topics::from(["b", "c"])));
    assert!(!Topics::from(["a", "b"]).matches(&Topics::from("")));
}

#[test]
fn topics_are_made_from_any_kind_of_names() {
    let one = Topics::from("a");
    let owned = "a".to_owned();
    let (array, list) = ([owned.clone()], vec![owned.clone()]);
    for same in [
        Topics::from(&owned),
        Topics::from(owned.clone()),
        Topics::from(Cow::Borrowed("a")),
        Topics::from(Arc::<str>::from("a")),
        Topics::from(["a"]),
        Topics::from(&["a"]),
        Topics::from(&array),
        Topics::from(&list),
        Topics::from(vec![Cow::Borrowed("a")]),
        Topics::from(&list[..]),
        Some("a").into_iter().collect(),
    ] {
        assert_eq!(same, one);
    }
    let topic = format!("user:{}", 17);
    let subscription = Subscription::to(&topic);
    assert_eq!(subscription.topics, Topics::from(topic));
    let pair = &["a", "b"];
    let subscription = Subscription::to(pair);
    assert_eq!(subscription.topics, Topics::from(*pair));
}

/// Returns the topics that an unknown user may read: none.
#[test]
fn an_empty_list_is_no_topic_not_the_default_one() {
    let list = Vec::<String>::new();
    for none in [
        Topics::from(list.as_slice()),
        Topics::from(<[&str; 0]>::default()),
        list.into_iter().collect(),
    ] {
        assert!(none.is_empty());
        assert_eq!((none.len(), none.iter().count()), (0, 0));
        assert_ne!(none, Topics::default());
        assert!(!Topics::default().is_empty());
        for topics in [Topics::default(), ["a", ""].into(), none.clone()] {
            assert!(!none.matches(&topics));
            assert!(!topics.matches(&none));
        }
        assert_eq!(format!("{none:?}"), "{}");
    }
    let named_none = Topics::from_query(Some("other=1"));
    assert_eq!(named_none, Topics::default(), "where none is named");
}

#[cfg(feature = "serde")]
#[test]
fn topics_are_a_list_to_serde() {
    assert_eq!(
        serde_json::to_string(&Topics::from(["b", "a"])).unwrap(),
        r#"["a","b"]"#
    );
    let none = serde_json::from_str::<Topics>("[]").unwrap();
    assert!(none.is_empty());
    assert_eq!(serde_json::to_string(&none).unwrap(), "[]");
}
