//! Publishing, and what follows until everyone has read.

use std::{
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use futures_util::{FutureExt as _, Stream as _};
use sse_core::{
    FiniteReplayer, Joe, Message, Subscription, Topics,
    provider::{Provider as _, Subscriber},
};

/// The messages that are asked for in one go: little enough to lie in the processor's cache.
const BATCH: BatchSize = BatchSize::NumIterations(64);

fn publish(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("publish");
    let history = FiniteReplayer::new(1_000);
    let joes = [
        ("to nobody", Joe::new()),
        ("into a history", Joe::builder().replayer(history).build()),
    ];
    for (name, joe) in joes {
        group.bench_function(name, |bencher| {
            bencher.iter_batched(message, |message| deliver(&joe, message), BATCH);
        });
    }
    for count in [1, 100, 1_000] {
        let joe = Joe::new();
        let mut subscribers: Vec<_> = (0..count).map(|_| subscribe(&joe)).collect();
        group.throughput(Throughput::Elements(count));
        group.bench_function(format!("and read by {count}"), |bencher| {
            let publish_and_read = |message| {
                deliver(&joe, message);
                subscribers.iter_mut().for_each(read);
            };
            bencher.iter_batched(message, publish_and_read, BATCH);
        });
    }
    group.finish();
}

fn message() -> (Message, Topics) {
    (Message::data("x".repeat(128)), Topics::from("news"))
}

fn deliver(joe: &Joe, (message, topics): (Message, Topics)) {
    joe.publish(message, topics)
        .now_or_never()
        .unwrap()
        .unwrap();
}

/// A subscriber that waits.
fn subscribe(joe: &Joe) -> Subscriber {
    let subscription = joe.subscribe(Subscription::to("news"));
    let mut subscriber = subscription.now_or_never().unwrap().unwrap();
    assert_eq!(poll(&mut subscriber), Poll::Pending);
    subscriber
}

/// Reads what there is, and waits again.
fn read(subscriber: &mut Subscriber) {
    assert!(matches!(poll(subscriber), Poll::Ready(Some(_))));
    assert_eq!(poll(subscriber), Poll::Pending);
}

fn poll(subscriber: &mut Subscriber) -> Poll<Option<bytes::Bytes>> {
    let mut cx = Context::from_waker(Waker::noop());
    Pin::new(subscriber).poll_next(&mut cx)
}

fn config() -> Criterion {
    Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
}

criterion_group! { name = benches; config = config(); targets = publish }
criterion_main!(benches);
