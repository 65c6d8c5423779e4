//! Ids of places between messages.

use sse_core::{
    Message, Topics,
    replay::{Cursor, Position},
    resume::Gap,
};

use super::{Subject, gap, id, put, read, seek};

pub fn a_place_is_known_before_any_message(subject: Subject) {
    let replayer = subject();
    let topics = Topics::from(["a", "b"]);
    for n in 0..5 {
        let place = Cursor::after(replayer.end());
        let id = replayer.cursor_id(place, &topics);
        assert_eq!(seek(&replayer, &id, topics.clone()), place);
        put(&replayer, Message::data(format!("{n} a")), "a");
        put(&replayer, Message::data(format!("{n} c")), "c");
        let found = read(&replayer, seek(&replayer, &id, topics.clone()), &topics);
        assert_eq!(found, [format!("{n} a")]);
    }
}

pub fn a_place_opens_exactly_its_topics(subject: Subject) {
    let replayer = subject();
    put(&replayer, Message::data("x"), ["a", "b", "c"]);
    let id = replayer.cursor_id(Cursor::after(replayer.end()), &["a", "b"].into());
    for other in [&["a"][..], &["b"], &["c"], &["a", "b", "c"], &["ab"], &[""]] {
        assert_eq!(gap(&replayer, &id, other), Gap::Unknown);
    }
    seek(&replayer, &id, ["b", "a"]);
}

pub fn a_place_of_the_earliest_brings_everything_back(subject: Subject) {
    let replayer = subject();
    let topics = Topics::from(["a", "b"]);
    let before_any = replayer.cursor_id(Cursor::EARLIEST, &topics);
    put(&replayer, Message::data("1"), "a");
    put(&replayer, Message::data("2"), "b");
    let later = replayer.cursor_id(Cursor::EARLIEST, &topics);
    put(&replayer, Message::data("3"), "a");
    for id in [before_any, later] {
        let from = seek(&replayer, &id, topics.clone());
        assert_eq!(read(&replayer, from, &topics), ["1", "2", "3"]);
    }
}

pub fn a_place_never_given_out_is_unknown(subject: Subject) {
    let (replayer, other) = (subject(), subject());
    for replayer in [&replayer, &other] {
        put(replayer, Message::data("x"), "a");
    }
    let beyond = Cursor::after(Position(replayer.end().0 + 1));
    let beyond = replayer.cursor_id(beyond, &"a".into());
    assert_eq!(gap(&replayer, &beyond, "a"), Gap::Unknown);
    let of_other = other.cursor_id(Cursor::after(other.end()), &"a".into());
    assert_eq!(gap(&replayer, &of_other, "a"), Gap::Unknown);
    let forged = format!("{of_other}0");
    assert_eq!(gap(&other, &id(&forged), "a"), Gap::Unknown);
}
