//! The replayers in memory against the replayer suite, and what each drops.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use sse_conformance::replayer::Subject;
use sse_core::{EventId, FiniteReplayer, Gap, Message, Position, Replayer, Topics, ValidReplayer};

const MINUTE: Duration = Duration::from_secs(60);

mod finite {
    const SUBJECT: super::Subject = || super::Arc::new(super::FiniteReplayer::new(10_000).unwrap());
    sse_conformance::replayer_suite!(SUBJECT);
}

mod valid {
    const SUBJECT: super::Subject =
        || super::Arc::new(super::ValidReplayer::new(super::MINUTE).unwrap());
    sse_conformance::replayer_suite!(SUBJECT);
}

/// A replayer whose clock stands still until it is turned.
fn valid() -> (ValidReplayer, impl Fn(Duration)) {
    let now = Arc::new(Mutex::new(Instant::now()));
    let clock = Arc::clone(&now);
    let replayer = ValidReplayer::new(MINUTE)
        .unwrap()
        .clock(move || *clock.lock().unwrap());
    (replayer, move |time| *now.lock().unwrap() += time)
}

fn put(replayer: &impl Replayer, data: &str) -> EventId {
    replayer
        .put(Message::data(data), &Topics::default())
        .unwrap()
        .id
}

fn follows(replayer: &impl Replayer, id: &EventId) -> Result<usize, Gap> {
    let after = replayer.seek(id, &Topics::default())?;
    Ok(replayer.page(after, &Topics::default())?.messages.len())
}

#[test]
fn a_history_of_nothing_is_refused() {
    let error = FiniteReplayer::new(0).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a history bounded to zero messages would keep nothing; use at least one, or no replayer"
    );
    assert!(ValidReplayer::new(Duration::ZERO).is_err());
}

#[test]
fn finite_keeps_the_newest_and_knows_the_one_before() {
    let replayer = FiniteReplayer::new(3).unwrap();
    let ids: Vec<_> = (0..8).map(|n| put(&replayer, &n.to_string())).collect();
    // 5, 6 and 7 are kept; a client that has 4 has missed nothing that is gone.
    assert_eq!(follows(&replayer, &ids[7]), Ok(0));
    assert_eq!(follows(&replayer, &ids[5]), Ok(2));
    assert_eq!(follows(&replayer, &ids[4]), Ok(3));
    for id in &ids[..4] {
        assert_eq!(follows(&replayer, id), Err(Gap::Expired));
    }
}

#[test]
fn ids_of_the_application_are_forgotten_with_their_messages() {
    let replayer = FiniteReplayer::new(2).unwrap();
    let id = |n: usize| EventId::try_from(format!("own-{n}")).unwrap();
    for n in 0..6 {
        let message = Message::data("x").id(id(n));
        replayer.put(message, &Topics::default()).unwrap();
    }
    assert_eq!(follows(&replayer, &id(5)), Ok(0));
    assert_eq!(follows(&replayer, &id(3)), Ok(2));
    assert_eq!(follows(&replayer, &id(2)), Err(Gap::Unknown));
    let text = format!("{replayer:?}");
    assert!(
        text.contains("manual_ids: 3"),
        "two messages and the one before them: {text}"
    );
}

#[test]
fn finite_is_bounded_in_bytes_but_keeps_the_newest() {
    let replayer = FiniteReplayer::new(1_000_000).unwrap().max_bytes(10_000);
    let ids: Vec<_> = (0..100)
        .map(|_| put(&replayer, &"x".repeat(1_000)))
        .collect();
    assert_eq!(follows(&replayer, &ids[0]), Err(Gap::Expired));
    assert_eq!(follows(&replayer, &ids[98]), Ok(1));
    let large = put(&replayer, &"x".repeat(50_000));
    assert_eq!(follows(&replayer, &ids[99]), Ok(1));
    assert_eq!(follows(&replayer, &large), Ok(0));
    // Many tiny messages take memory, too.
    let tiny: Vec<_> = (0..10_000).map(|_| put(&replayer, "")).collect();
    assert_eq!(follows(&replayer, &tiny[9_800]), Err(Gap::Expired));
}

#[test]
fn valid_drops_what_has_expired_and_says_so() {
    let (replayer, turn) = valid();
    let first = put(&replayer, "1");
    turn(MINUTE / 2);
    let second = put(&replayer, "2");
    assert_eq!(follows(&replayer, &first), Ok(1));
    turn(MINUTE / 2);
    assert_eq!(
        follows(&replayer, &first),
        Ok(1),
        "the first has expired, what follows it has not"
    );
    turn(MINUTE / 2);
    assert_eq!(follows(&replayer, &first), Err(Gap::Expired));
    assert_eq!(
        follows(&replayer, &second),
        Ok(0),
        "who has seen the last has missed nothing, however long ago"
    );
    assert_eq!(replayer.end(), Position(2));
}

#[test]
fn a_page_that_has_expired_while_it_was_read_is_a_gap() {
    let (replayer, turn) = valid();
    let first = put(&replayer, "1");
    put(&replayer, "2");
    let after = replayer.seek(&first, &Topics::default()).unwrap();
    turn(MINUTE);
    assert_eq!(replayer.page(after, &Topics::default()), Err(Gap::Expired));
}

#[test]
fn two_histories_never_give_the_same_id() {
    let ids = [
        FiniteReplayer::new(9).unwrap(),
        FiniteReplayer::new(9).unwrap(),
    ]
    .map(|replayer| put(&replayer, "x"));
    assert_ne!(ids[0], ids[1]);
}
