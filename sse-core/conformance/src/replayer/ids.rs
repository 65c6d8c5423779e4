//! Ids: given, of the application, and of others.

use sse_core::{Message, Topics, resume::Gap};

use super::{Subject, gap, id, put, read, seek, store};

pub fn a_message_without_id_is_given_one(subject: Subject) {
    let replayer = subject();
    let stored = store(&replayer, Message::data("x"), ());
    let text = String::from_utf8(stored.bytes.to_vec()).expect("UTF-8");
    assert_eq!(text, format!("id: {}\ndata: x\n\n", stored.id));
    assert_eq!(stored.position, replayer.end());
}

pub fn given_ids_are_short_plain_and_different(subject: Subject) {
    let replayer = subject();
    let mut ids: Vec<_> = (0..100)
        .map(|_| put(&replayer, Message::data("x"), ()))
        .collect();
    for id in &ids {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte);
        assert!(
            id.as_str().bytes().all(plain) && id.as_str().len() <= 128,
            "{id} is not short and plain"
        );
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 100);
}

pub fn an_id_of_the_application_is_kept(subject: Subject) {
    let replayer = subject();
    let own = id("gr\u{fc}n 1");
    assert_eq!(put(&replayer, Message::data("1").id(own.clone()), ()), own);
    put(&replayer, Message::data("2"), ());
    put(&replayer, Message::data("3").id(id("other")), ());
    let after = seek(&replayer, &own, ());
    assert_eq!(read(&replayer, after, &Topics::default()), ["2", "3"]);
}

pub fn an_id_never_given_out_is_unknown(subject: Subject) {
    let replayer = subject();
    assert_eq!(gap(&replayer, &id("never"), ()), Gap::Unknown);
    let given = put(&replayer, Message::data("x"), ());
    for wrong in [
        "never".to_owned(),
        format!("{given}0"),
        format!("0{given}"),
        format!("{given} 0"),
        "0".into(),
    ] {
        assert_eq!(gap(&replayer, &id(&wrong), ()), Gap::Unknown, "{wrong:?}");
    }
}

pub fn an_id_of_another_log_is_unknown(subject: Subject) {
    let (before, after) = (subject(), subject());
    let old = put(&before, Message::data("x"), ());
    put(&after, Message::data("y"), ());
    put(&after, Message::data("z"), ());
    assert_eq!(gap(&after, &old, ()), Gap::Unknown);
}

pub fn an_id_of_another_topic_opens_nothing(subject: Subject) {
    let replayer = subject();
    let other = put(&replayer, Message::data("a"), "other");
    let manual = put(&replayer, Message::data("a").id(id("manual")), "other");
    put(&replayer, Message::data("b"), "mine");
    assert_eq!(gap(&replayer, &other, "mine"), Gap::Unknown);
    assert_eq!(gap(&replayer, &manual, "mine"), Gap::Unknown);
}

pub fn a_repeated_id_continues_after_the_oldest(subject: Subject) {
    let replayer = subject();
    for data in ["1", "2", "3"] {
        put(&replayer, Message::data(data).id(id("same")), ());
    }
    let after = seek(&replayer, &id("same"), ());
    assert_eq!(
        read(&replayer, after, &Topics::default()),
        ["2", "3"],
        "rather twice than never"
    );
}

pub fn an_id_that_several_topics_share_continues_in_each_after_its_own(subject: Subject) {
    let replayer = subject();
    for (data, topic) in [
        ("1", "a"),
        ("2", "b"),
        ("3", "a"),
        ("4", "b"),
        ("5", "c"),
        ("6", "b"),
    ] {
        let message = Message::data(data).id(id("same"));
        put(&replayer, message, [topic, "all"]);
    }
    put(&replayer, Message::data("7"), ["a", "b", "c", "all", "d"]);
    let rows: [(&[&str], &[&str]); 6] = [
        (&["a"], &["3", "7"]),
        (&["b"], &["4", "6", "7"]),
        (&["c"], &["7"]),
        (&["all"], &["2", "3", "4", "5", "6", "7"]),
        (&["b", "c"], &["4", "5", "6", "7"]),
        (&["c", "d"], &["7"]),
    ];
    for (topics, expected) in rows {
        let topics = Topics::from(topics);
        let after = seek(&replayer, &id("same"), topics.clone());
        assert_eq!(read(&replayer, after, &topics), expected, "{topics:?}");
    }
    assert_eq!(gap(&replayer, &id("same"), "d"), Gap::Unknown);
}

pub fn an_id_that_looks_like_a_given_one_is_not_mistaken_for_it(subject: Subject) {
    let replayer = subject();
    let given = put(&replayer, Message::data("1"), ());
    put(&replayer, Message::data("2"), ());
    put(&replayer, Message::data("3").id(given.clone()), ());
    let after = seek(&replayer, &given, ());
    let rest = read(&replayer, after, &Topics::default());
    assert!(
        rest == ["2", "3"] || rest.is_empty(),
        "after one of the two that have it: {rest:?}"
    );
}
