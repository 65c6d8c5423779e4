//! Cases about continuing after a reconnect.

use std::sync::Arc;

use sse_core::{
    EventId, Message, OnGap, ResumeFrom, SubscribeError, Subscription, Topics,
    provider::Provider,
    resume::{Gap, Outcome},
};

use super::{Subject, publish, subscribe};

/// Returns the last id that a client has seen. Without history there are no ids, so it makes one
/// up.
fn last(id: Option<EventId>) -> EventId {
    id.unwrap_or_else(|| "none".try_into().expect("a valid id"))
}

/// Returns the outcome for a client that continues from a known id.
fn expected(subject: Subject) -> Outcome {
    if subject.keeps_history {
        Outcome::Recovered
    } else {
        Outcome::Gap(Gap::Unknown)
    }
}

/// Cuts a stream before its first message. The client has no id of a message, and is no new client
/// all the same.
pub async fn a_stream_cut_before_its_first_message_is_continued_or_told(subject: Subject) {
    let provider = (subject.make)();
    publish(&provider, "before", "a").await;
    for n in 0..3 {
        let place = place(&subscribe(&provider, Subscription::to("a")).await);
        let again = Subscription::to("a").resume_from(place.clone());
        let listener = subscribe(&provider, again.clone()).await;
        assert_eq!(
            listener.outcome(),
            Outcome::Recovered,
            "nothing was published"
        );
        drop(listener);
        publish(&provider, n, "a").await;
        let mut listener = subscribe(&provider, again).await;
        publish(&provider, "live", "a").await;
        if subject.keeps_history {
            assert_eq!(listener.outcome(), Outcome::Recovered);
            assert_eq!(listener.data(2).await, [n.to_string(), "live".into()]);
        } else {
            assert_eq!(listener.outcome(), Outcome::Gap(Gap::Expired));
            assert_eq!(listener.data(1).await, ["live"]);
        }
    }
}

pub async fn a_place_opens_its_own_topics_only(subject: Subject) {
    let provider = (subject.make)();
    publish(&provider, "x", ["a", "b", "c"]).await;
    let place = place(&subscribe(&provider, Subscription::to(["a", "b"])).await);
    for (topics, is_its_own) in [
        (&["a"][..], false),
        (&["b", "c"], false),
        (&["a", "b", "c"], false),
        (&["b", "a"], true),
    ] {
        let subscription = Subscription::to(topics).resume_from(place.clone());
        let listener = subscribe(&provider, subscription).await;
        let is_gap = listener.outcome() == Outcome::Gap(Gap::Unknown);
        assert_eq!(is_gap, !is_its_own, "{topics:?}");
    }
}

pub async fn a_client_told_of_a_gap_has_a_place_to_come_back_to(subject: Subject) {
    for on_gap in [OnGap::Tell, OnGap::Replay, OnGap::Silent] {
        let provider = (subject.make)();
        publish(&provider, "before", "a").await;
        let place = place(&subscribe(&provider, lost(on_gap)).await);
        let again = Subscription::to("a").resume_from(place);
        let mut listener = subscribe(&provider, again).await;
        assert_eq!(listener.outcome(), Outcome::Recovered);
        publish(&provider, "after", "a").await;
        let replayed = subject.keeps_history && on_gap == OnGap::Replay;
        let expected = if replayed {
            &["before", "after"][..]
        } else {
            &["after"]
        };
        assert_eq!(listener.data(expected.len()).await, expected);
    }
}

fn place(listener: &super::Listener) -> EventId {
    let place = listener.begins_at().cloned();
    place.expect("a stream says where it begins")
}

pub async fn a_known_id_is_recovered(subject: Subject) {
    let provider = (subject.make)();
    publish(&provider, "0", ()).await;
    let seen = last(publish(&provider, "1", ()).await);
    for missed in ["2", "3"] {
        publish(&provider, missed, ()).await;
    }
    let mut listener = subscribe(&provider, Subscription::default().resume_from(seen)).await;
    assert_eq!(listener.outcome(), expected(subject));
    publish(&provider, "4", ()).await;
    if subject.keeps_history {
        assert_eq!(listener.data(3).await, ["2", "3", "4"]);
    } else {
        assert_eq!(listener.data(1).await, ["4"]);
    }
}

pub async fn an_up_to_date_client_gets_nothing_again(subject: Subject) {
    let provider = (subject.make)();
    for n in 0..20 {
        let seen = last(publish(&provider, n, "a").await);
        publish(&provider, "of another topic", "b").await;
        let mut listener = subscribe(&provider, Subscription::to("a").resume_from(seen)).await;
        assert_eq!(listener.outcome(), expected(subject));
        publish(&provider, "live", "a").await;
        assert_eq!(listener.data(1).await, ["live"]);
    }
}

pub async fn an_unknown_id_is_a_gap(subject: Subject) {
    let provider = (subject.make)();
    publish(&provider, "before", ()).await;
    let unknown: EventId = "never-given-out".try_into().expect("a valid id");
    let mut listener = subscribe(&provider, Subscription::default().resume_from(unknown)).await;
    assert_eq!(listener.outcome(), Outcome::Gap(Gap::Unknown));
    publish(&provider, "after", ()).await;
    assert_eq!(listener.data(1).await, ["after"]);
}

pub async fn an_unreadable_id_is_a_gap(subject: Subject) {
    let provider = (subject.make)();
    publish(&provider, "before", ()).await;
    let too_long = vec![b'x'; EventId::MAX_BYTES + 1];
    for bytes in [b"\xff\xfe".as_slice(), b"a\nb", b"a\0b", &too_long] {
        let subscription = Subscription::default().resume_from(ResumeFrom::from_bytes(bytes));
        let listener = subscribe(&provider, subscription).await;
        assert_eq!(listener.outcome(), Outcome::Gap(Gap::Unknown));
    }
}

pub async fn an_id_from_another_topic_is_a_gap(subject: Subject) {
    let provider = (subject.make)();
    let other = last(publish(&provider, "secret", "other").await);
    publish(&provider, "before", "mine").await;
    let mut listener = subscribe(&provider, Subscription::to("mine").resume_from(other)).await;
    assert_eq!(listener.outcome(), Outcome::Gap(Gap::Unknown));
    publish(&provider, "more secrets", "other").await;
    publish(&provider, "after", "mine").await;
    assert_eq!(listener.data(1).await, ["after"]);
}

pub async fn explicit_and_generated_ids_mix(subject: Subject) {
    let provider = (subject.make)();
    let own: EventId = "invoice-\u{e9}".try_into().expect("a valid id");
    publish(&provider, "1", ()).await;
    let message = Message::data("2").id(own.clone());
    let published = provider
        .publish(message, Topics::default())
        .await
        .expect("published");
    assert_eq!(published.id, Some(own.clone()));
    let seen = last(publish(&provider, "3", ()).await);
    publish(&provider, "4", ()).await;
    for (id, missed) in [(own, 2), (seen, 1)] {
        let mut listener = subscribe(&provider, Subscription::default().resume_from(id)).await;
        assert_eq!(listener.outcome(), expected(subject));
        if subject.keeps_history {
            assert_eq!(listener.data(missed).await, ["3", "4"][2 - missed..]);
        }
    }
}

/// Lets clients join at random moments while others publish without a pause.
pub async fn history_joins_live_without_gap_or_double(subject: Subject) {
    const MESSAGES: usize = 3_000;
    let provider = (subject.make)();
    let mut ids = vec![publish(&provider, 0, "a").await];
    let mut clients = Vec::new();
    for n in 1..MESSAGES {
        if n % 50 == 0 && subject.keeps_history {
            let seen = n / 100 * 37 % ids.len();
            clients.push(tokio::spawn(resumes(
                Arc::clone(&provider),
                last(ids[seen].clone()),
                seen,
            )));
        } else if n % 50 == 0 {
            // Without history it continues with any message, the next one.
            clients.push(tokio::spawn(follows(Arc::clone(&provider))));
        }
        ids.push(publish(&provider, n, ["a", "b"]).await);
        publish(&provider, "of another topic", "other").await;
        if n % 10 == 0 {
            tokio::task::yield_now().await;
        }
    }
    provider.shutdown().await.expect("the first shutdown");
    for client in clients {
        client.await.expect("every client sees its sequence");
    }
}

async fn resumes(provider: Arc<dyn Provider>, seen: EventId, number: usize) {
    let subscription = Subscription::to("a").resume_from(seen);
    // A client that comes too late is refused, which loses nothing.
    let Ok(subscriber) = provider.subscribe(subscription).await else {
        return;
    };
    let mut listener = super::Listener::new(subscriber);
    assert_eq!(listener.outcome(), Outcome::Recovered);
    drop(provider);
    let first = listener.data(1).await;
    assert_eq!(first, [(number + 1).to_string()]);
    let rest = listener.rest().await;
    let expected: Vec<_> = (number + 2..3_000).map(|n| n.to_string()).collect();
    assert_eq!(rest, expected);
}

async fn follows(provider: Arc<dyn Provider>) {
    let Ok(subscriber) = provider.subscribe(Subscription::to("a")).await else {
        return;
    };
    let rest = super::Listener::new(subscriber).rest().await;
    let numbers: Vec<usize> = rest
        .iter()
        .map(|data| data.parse().expect("a number"))
        .collect();
    assert!(
        numbers.windows(2).all(|pair| pair[1] == pair[0] + 1),
        "{numbers:?}"
    );
}

pub async fn the_earliest_is_every_message_that_is_kept(subject: Subject) {
    let provider = (subject.make)();
    let earliest = Subscription::to("a").resume_from(ResumeFrom::Earliest);
    let mut early = subscribe(&provider, earliest.clone()).await;
    for n in 0..3 {
        publish(&provider, n, ["a", "b"]).await;
        publish(&provider, "of another topic", "other").await;
    }
    let mut late = subscribe(&provider, earliest).await;
    publish(&provider, 3, "a").await;
    assert_eq!(early.data(4).await, ["0", "1", "2", "3"]);
    if subject.keeps_history {
        assert_eq!(late.outcome(), Outcome::Recovered);
        assert_eq!(late.data(4).await, ["0", "1", "2", "3"]);
    } else {
        assert_eq!(late.outcome(), Outcome::Fresh, "nothing is kept");
        assert_eq!(late.data(1).await, ["3"]);
    }
}

pub async fn a_client_with_an_id_is_not_sent_to_the_earliest(subject: Subject) {
    let provider = (subject.make)();
    publish(&provider, "0", ()).await;
    let seen = last(publish(&provider, "1", ()).await);
    let subscription = Subscription::default().resume_from(ResumeFrom::from(seen).or_earliest());
    let mut listener = subscribe(&provider, subscription).await;
    assert_eq!(listener.outcome(), expected(subject));
    publish(&provider, "2", ()).await;
    assert_eq!(listener.data(1).await, ["2"]);
}

/// A subscription that cannot continue.
fn lost(on_gap: OnGap) -> Subscription {
    let unknown: EventId = "never-given-out".try_into().expect("a valid id");
    Subscription::to("a").resume_from(unknown).on_gap(on_gap)
}

pub async fn a_gap_is_followed_by_everything_if_wanted(subject: Subject) {
    let provider = (subject.make)();
    publish(&provider, "0", "a").await;
    publish(&provider, "1", "a").await;
    let mut listener = subscribe(&provider, lost(OnGap::Replay)).await;
    assert_eq!(listener.outcome(), Outcome::Gap(Gap::Unknown));
    publish(&provider, "2", "a").await;
    if subject.keeps_history {
        assert_eq!(listener.data(3).await, ["0", "1", "2"]);
    } else {
        assert_eq!(listener.data(1).await, ["2"]);
    }
}

pub async fn a_gap_is_a_refusal_if_wanted(subject: Subject) {
    let provider = (subject.make)();
    let seen = last(publish(&provider, "0", "a").await);
    let refused = provider.subscribe(lost(OnGap::Refuse)).await;
    assert!(
        matches!(refused, Err(SubscribeError::Gap(Gap::Unknown))),
        "{refused:?}"
    );
    // Clients that can continue are welcome, and so are those without a past.
    let fresh = Subscription::to("a").on_gap(OnGap::Refuse);
    let mut fresh = subscribe(&provider, fresh).await;
    let resumed = Subscription::to("a").on_gap(OnGap::Refuse);
    let resumed = provider.subscribe(resumed.resume_from(seen)).await;
    assert_eq!(resumed.is_ok(), subject.keeps_history);
    publish(&provider, "1", "a").await;
    assert_eq!(fresh.data(1).await, ["1"]);
}

pub async fn a_silent_gap_goes_on_with_the_next_message(subject: Subject) {
    let provider = (subject.make)();
    publish(&provider, "0", "a").await;
    let mut listener = subscribe(&provider, lost(OnGap::Silent)).await;
    assert_eq!(listener.outcome(), Outcome::Gap(Gap::Unknown));
    publish(&provider, "1", "a").await;
    assert_eq!(listener.data(1).await, ["1"]);
}
