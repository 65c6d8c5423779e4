//! The duties of a [`Provider`] towards a reader that is too slow: one subject for each
//! [`Overflow`] policy.

#![expect(missing_docs, reason = "a case is its name")]

use std::{future::Future, sync::Arc};

use sse_core::{
    Message, OnGap, Overflow, Subscription, Topics, provider::Provider, resume::Outcome,
};

use crate::{OwnedEvent, cases::block_on, provider::Listener};

/// The provider that the suite is run on.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// Makes a provider that nobody else uses, with this policy, whose readers may fall [`QUEUE`]
    /// messages behind.
    pub make: fn(Overflow) -> Arc<dyn Provider>,
    /// The policy.
    pub overflow: Overflow,
    /// `true` if it keeps the last 20,000 small messages for readers that fall behind, `false` if
    /// it keeps none.
    pub keeps_history: bool,
}

/// The number of messages that a reader may fall behind.
pub const QUEUE: usize = 10;

/// A number of messages far beyond [`QUEUE`].
const MANY: usize = 3_000;

/// Runs one case.
#[doc(hidden)]
pub fn run<F: Future<Output = ()>>(case: fn(Subject) -> F, subject: Subject) {
    block_on(case(subject));
}

/// Runs every overflow case on a [`Subject`](crate::overflow::Subject).
#[macro_export]
macro_rules! overflow_suite {
    ($subject:expr) => {
        $crate::cases!(
            overflow,
            $subject,
            [
                a_reader_within_the_bound_misses_nothing,
                a_slow_reader_comes_back_to_life,
                a_reader_may_fall_behind_again_and_again,
                a_reader_is_told_once_however_much_it_missed,
                every_policy_except_silent_tells_of_a_gap,
                a_silent_reader_is_told_nothing,
                a_reader_that_takes_one_piece_at_a_time_gets_on,
                a_slow_reader_that_ends_can_come_back_or_is_told,
                all_topics_of_a_slow_reader_are_treated_alike,
                a_loss_that_follows_one_it_was_told_of_is_told_too,
                other_readers_do_not_notice_a_slow_one,
                shutdown_delivers_to_a_slow_reader,
                a_slow_reader_sees_no_hole_while_others_publish,
                a_reader_ten_thousand_messages_behind_catches_up_while_others_publish,
            ]
        );
    };
}

impl Subject {
    fn provider(self) -> Arc<dyn Provider> {
        (self.make)(self.overflow)
    }

    /// Returns the output for a reader that has fallen behind after message 0, if only messages 1
    /// to `last` were published since.
    fn expected(self, last: usize) -> Expected {
        match self.overflow {
            Overflow::CatchUp if self.keeps_history => Expected {
                data: numbers(1..=last),
                goes_on: true,
            },
            // The newest are left in the queue.
            Overflow::Skip => Expected {
                data: [vec![skipped()], numbers(last + 1 - QUEUE..=last)].concat(),
                goes_on: true,
            },
            _ => Expected {
                data: vec![],
                goes_on: false,
            },
        }
    }
}

struct Expected {
    data: Vec<String>,
    goes_on: bool,
}

fn numbers(range: impl Iterator<Item = usize>) -> Vec<String> {
    range.map(|n| n.to_string()).collect()
}

/// Returns the data of the message that tells of skipped messages.
fn skipped() -> String {
    r#"{"reason":"skipped"}"#.to_owned()
}

async fn publish(provider: &Arc<dyn Provider>, n: usize, topics: impl Into<Topics>) {
    let message = Message::data(n.to_string());
    let published = provider.publish(message, topics.into()).await;
    published.expect("the message is published");
}

async fn subscribe(provider: &Arc<dyn Provider>, subscription: Subscription) -> Listener {
    let subscribed = provider.subscribe(subscription).await;
    Listener::new(subscribed.expect("the client is subscribed"))
}

/// Returns a reader that has read message 0 and for which messages 1 to `last` are pending.
async fn behind(provider: &Arc<dyn Provider>, last: usize) -> Listener {
    let mut reader = subscribe(provider, Subscription::default()).await;
    publish(provider, 0, ()).await;
    assert_eq!(reader.data(1).await, ["0"]);
    for n in 1..=last {
        publish(provider, n, ()).await;
    }
    reader
}

/// Reads the expected messages, and then the one that is published next, or the end.
async fn check(provider: &Arc<dyn Provider>, reader: &mut Listener, expected: Expected) {
    assert_eq!(reader.data(expected.data.len()).await, expected.data);
    if expected.goes_on {
        publish(provider, 1_000_000, ()).await;
        assert_eq!(reader.data(1).await, ["1000000"]);
    } else {
        assert_eq!(reader.piece().await, None);
    }
}

pub async fn a_reader_within_the_bound_misses_nothing(subject: Subject) {
    let provider = subject.provider();
    let mut reader = behind(&provider, QUEUE).await;
    let expected = Expected {
        data: numbers(1..=QUEUE),
        goes_on: true,
    };
    check(&provider, &mut reader, expected).await;
}

pub async fn a_slow_reader_comes_back_to_life(subject: Subject) {
    for missed in [QUEUE + 1, MANY] {
        let provider = subject.provider();
        let mut reader = behind(&provider, missed).await;
        check(&provider, &mut reader, subject.expected(missed)).await;
    }
}

pub async fn a_reader_may_fall_behind_again_and_again(subject: Subject) {
    let provider = subject.provider();
    let mut reader = subscribe(&provider, Subscription::default()).await;
    for _ in 0..20 {
        publish(&provider, 0, ()).await;
        assert_eq!(reader.data(1).await, ["0"]);
        for n in 1..=3 * QUEUE {
            publish(&provider, n, ()).await;
        }
        let expected = subject.expected(3 * QUEUE);
        let goes_on = expected.goes_on;
        check(&provider, &mut reader, expected).await;
        if !goes_on {
            reader = subscribe(&provider, Subscription::default()).await;
        }
    }
}

pub async fn a_reader_is_told_once_however_much_it_missed(subject: Subject) {
    let provider = subject.provider();
    let mut reader = behind(&provider, MANY).await;
    if subject.overflow == Overflow::Skip {
        let expected = subject.expected(MANY).data;
        assert_eq!(reader.data(expected.len()).await, expected);
        for n in 0..2 * QUEUE {
            publish(&provider, n, ()).await;
            assert_eq!(reader.data(1).await, [n.to_string()], "nothing more of it");
        }
    } else if subject.expected(MANY).goes_on {
        assert_eq!(reader.data(MANY).await, numbers(1..=MANY));
        assert!(reader.is_idle(), "it missed nothing and is told nothing");
    } else {
        // It is told by the end of the stream, and by the outcome when it resumes.
        assert_eq!(reader.piece().await, None);
        assert_eq!(reader.piece().await, None, "and that is all");
    }
}

pub async fn every_policy_except_silent_tells_of_a_gap(subject: Subject) {
    for on_gap in [OnGap::Tell, OnGap::Replay, OnGap::Refuse, OnGap::Silent] {
        let provider = subject.provider();
        let subscription = Subscription::default().on_gap(on_gap);
        let mut reader = subscribe(&provider, subscription).await;
        for n in 1..=MANY {
            publish(&provider, n, ()).await;
        }
        let mut expected = subject.expected(MANY);
        if on_gap == OnGap::Silent {
            expected.data.retain(|data| *data != skipped());
        }
        check(&provider, &mut reader, expected).await;
    }
}

pub async fn a_silent_reader_is_told_nothing(subject: Subject) {
    let provider = subject.provider();
    let silent = Subscription::default().on_gap(OnGap::Silent);
    let mut reader = subscribe(&provider, silent).await;
    for n in 1..=MANY {
        publish(&provider, n, ()).await;
    }
    let mut expected = subject.expected(MANY);
    expected.data.retain(|data| *data != skipped());
    check(&provider, &mut reader, expected).await;
}

/// Reads as a socket does that takes one piece, and then is full while much is published.
pub async fn a_reader_that_takes_one_piece_at_a_time_gets_on(subject: Subject) {
    let provider = subject.provider();
    let mut reader = behind(&provider, 0).await;
    let (mut newest, mut next) = (0, 1);
    for _ in 0..20 {
        for _ in 0..5 * QUEUE {
            publish(&provider, next, ()).await;
            next += 1;
        }
        let Some(events) = reader.events().await else {
            assert!(!subject.expected(MANY).goes_on);
            return;
        };
        let numbers: Vec<usize> = events
            .iter()
            .filter_map(|event| event.data.parse().ok())
            .collect();
        let last = numbers.last().copied().unwrap_or_default();
        assert!(last > newest, "it is given messages: {events:?}");
        newest = last;
    }
    if subject.overflow == Overflow::Skip {
        assert_eq!(newest, next - 1, "the newest");
    }
}

/// Checks that a reader whose stream ends has an id to come back with, if only that of the place
/// where it began.
pub async fn a_slow_reader_that_ends_can_come_back_or_is_told(subject: Subject) {
    let provider = subject.provider();
    let mut reader = subscribe(&provider, Subscription::default()).await;
    let mut last = reader
        .begins_at()
        .cloned()
        .expect("the place where it begins");
    for n in 1..=MANY {
        publish(&provider, n, ()).await;
    }
    let mut seen = Vec::new();
    let expected = subject.expected(MANY);
    if expected.goes_on {
        return;
    }
    while let Some(events) = reader.events().await {
        for event in events {
            seen.push(event.data);
            if !event.id.is_empty() {
                last = event.id.try_into().expect("an id of a provider");
            }
        }
    }
    let again = Subscription::default().resume_from(last);
    let mut reader = subscribe(&provider, again).await;
    if subject.keeps_history {
        assert_eq!(reader.outcome(), Outcome::Recovered);
        seen.extend(reader.data(MANY - seen.len()).await);
        assert_eq!(seen, numbers(1..=MANY));
    } else {
        assert!(matches!(reader.outcome(), Outcome::Gap(_)));
        assert!(reader.begins_at().is_some(), "and it has a place again");
    }
}

pub async fn all_topics_of_a_slow_reader_are_treated_alike(subject: Subject) {
    let provider = subject.provider();
    let mut reader = subscribe(&provider, Subscription::to(["busy", "calm"])).await;
    publish(&provider, 0, "calm").await;
    assert_eq!(reader.data(1).await, ["0"]);
    for n in 1..=MANY {
        let topics: &[&str] = match n % 500 {
            0 => &["calm"],
            1 => &["calm", "busy"],
            _ => &["busy"],
        };
        publish(&provider, n, topics).await;
    }
    let mut expected = subject.expected(MANY);
    if subject.overflow == Overflow::Skip {
        // Each topic has its own newest messages. The reader is told where the first is missing.
        let newest = |is_there: fn(&usize) -> bool| {
            let all: Vec<_> = (1..=MANY).filter(is_there).collect();
            all[all.len() - QUEUE..].to_vec()
        };
        let (calm, busy) = (newest(|n| n % 500 <= 1), newest(|n| n % 500 != 0));
        let of_both = (1..=MANY).filter(|n| calm.contains(n) || busy.contains(n));
        expected.data = [vec![skipped()], numbers(of_both)].concat();
    }
    assert_eq!(reader.data(expected.data.len()).await, expected.data);
    if !expected.goes_on {
        assert_eq!(reader.piece().await, None);
        return;
    }
    publish(&provider, 1, "calm").await;
    publish(&provider, 2, ["calm", "busy"]).await;
    publish(&provider, 3, "busy").await;
    assert_eq!(reader.data(3).await, ["1", "2", "3"]);
}

/// A topic loses messages, the reader is told and takes one piece, then another topic loses older
/// ones. The reader takes large messages one by one.
pub async fn a_loss_that_follows_one_it_was_told_of_is_told_too(subject: Subject) {
    let provider = subject.provider();
    let mut reader = subscribe(&provider, Subscription::to(["a", "b"])).await;
    let large = |n: usize| Message::data(n.to_string()).comment("x".repeat(40 << 10));
    for n in 1..=3 {
        let published = provider.publish(large(n), "b".into()).await;
        published.expect("the message is published");
    }
    for n in 4..=4 + QUEUE {
        let published = provider.publish(large(n), "a".into()).await;
        published.expect("the message is published");
    }
    let mut account = Account::new(1);
    let Some(events) = reader.events().await else {
        assert!(!subject.expected(MANY).goes_on);
        return;
    };
    account.take(events);
    let last = 4 + 2 * QUEUE;
    for n in 5 + QUEUE..=last {
        publish(&provider, n, "b").await;
    }
    publish(&provider, last + 1, ["a", "b"]).await;
    while account.next <= last + 1 {
        account.take(reader.events().await.expect("it goes on"));
    }
}

/// A reader's account of numbered messages: in order, and told of each hole.
struct Account {
    next: usize,
    was_told: bool,
}

impl Account {
    fn new(next: usize) -> Self {
        Self {
            next,
            was_told: false,
        }
    }

    /// Takes a piece. A notice is for the piece that it begins, or for the next one if it stands
    /// alone: everything lost there was lost before the notice was sent.
    fn take(&mut self, events: Vec<OwnedEvent>) {
        let mut has_numbers = false;
        for event in events {
            if event.data == skipped() {
                self.was_told = true;
                continue;
            }
            let n: usize = event.data.parse().expect("a number");
            let (next, was_told) = (self.next, self.was_told);
            assert!(n == next || was_told && n > next, "{n} instead of {next}");
            self.next = n + 1;
            has_numbers = true;
        }
        self.was_told &= !has_numbers;
    }
}

pub async fn other_readers_do_not_notice_a_slow_one(subject: Subject) {
    let provider = subject.provider();
    let deaf = behind(&provider, 0).await;
    let mut other = subscribe(&provider, Subscription::to(["", "more"])).await;
    for n in 1..=MANY {
        publish(&provider, n, ()).await;
        assert_eq!(other.data(1).await, [n.to_string()]);
    }
    drop(deaf);
    publish(&provider, 1, "more").await;
    assert_eq!(other.data(1).await, ["1"]);
}

pub async fn shutdown_delivers_to_a_slow_reader(subject: Subject) {
    let provider = subject.provider();
    let reader = behind(&provider, MANY).await;
    provider.shutdown().await.expect("the first shutdown");
    assert_eq!(reader.rest().await, subject.expected(MANY).data);
}

/// Lets the reader pause at random moments while others publish without a pause. Its messages are
/// in order, and it is told where one is missing.
pub async fn a_slow_reader_sees_no_hole_while_others_publish(subject: Subject) {
    let provider = subject.provider();
    let mut reader = subscribe(&provider, Subscription::to(["a", "b"])).await;
    let publisher = Arc::clone(&provider);
    let publishing = tokio::spawn(async move {
        for n in 0..MANY {
            let topics: &[&str] = [&["a"][..], &["b"], &["a", "b"]][n % 3];
            publish(&publisher, n, topics).await;
            if n % (QUEUE / 2) == 0 {
                tokio::task::yield_now().await;
            }
        }
        publisher.shutdown().await.expect("the first shutdown");
    });
    let mut account = Account::new(0);
    let mut turn = 0;
    while let Some(events) = reader.events().await {
        account.take(events);
        turn += 1;
        for _ in 0..turn * 7 % 23 {
            tokio::task::yield_now().await;
        }
    }
    publishing.await.expect("the publisher does not panic");
    let Account { next, was_told } = account;
    match subject.overflow {
        Overflow::CatchUp if subject.keeps_history => assert_eq!(next, MANY, "all of it"),
        Overflow::Skip => assert!(next == MANY || was_told, "the end is missing at {next}"),
        // The stream ends where the reader fell behind, and it can resume from there.
        _ => assert!(next <= MANY),
    }
}

/// Publishes until the reader has joined again. It has to see every message once, at any place
/// where it joins.
pub async fn a_reader_ten_thousand_messages_behind_catches_up_while_others_publish(
    subject: Subject,
) {
    const BEHIND: usize = 10_000;
    const MORE: usize = 5_000;
    let provider = subject.provider();
    let mut reader = behind(&provider, BEHIND).await;
    if !subject.expected(BEHIND).goes_on || subject.overflow == Overflow::Skip {
        // This one is not meant to catch up, and other cases cover it.
        check(&provider, &mut reader, subject.expected(BEHIND)).await;
        return;
    }
    let publisher = Arc::clone(&provider);
    let publishing = tokio::spawn(async move {
        for n in BEHIND + 1..=BEHIND + MORE {
            publish(&publisher, n, ()).await;
            tokio::task::yield_now().await;
        }
    });
    assert_eq!(reader.data(BEHIND + MORE).await, numbers(1..=BEHIND + MORE));
    publishing.await.expect("the publisher does not panic");
    check(
        &provider,
        &mut reader,
        Expected {
            data: vec![],
            goes_on: true,
        },
    )
    .await;
}
