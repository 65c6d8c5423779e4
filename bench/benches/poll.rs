//! Polling a subscriber for which messages are pending: all of them come in one piece.

use std::{
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use futures_util::{FutureExt as _, Stream as _};
use sse_core::{
    Joe, Message, Subscription,
    provider::{Provider as _, Subscriber},
};

fn poll(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("poll");
    group.bench_function("nothing pending", |bencher| {
        let mut subscriber = pending(0);
        bencher.iter(|| take(&mut subscriber));
    });
    for count in [1, 64, 1_024] {
        group.throughput(Throughput::Elements(count));
        group.bench_function(format!("{count} pending"), |bencher| {
            let setup = || pending(count);
            bencher.iter_batched_ref(setup, take, BatchSize::NumIterations(16));
        });
    }
    group.finish();
}

/// A subscriber of its own hub that has so many messages before it.
fn pending(count: u64) -> Subscriber {
    let joe = Joe::new();
    let subscription = joe.subscribe(Subscription::to("news"));
    let mut subscriber = subscription.now_or_never().unwrap().unwrap();
    assert_eq!(take(&mut subscriber), Poll::Pending);
    for _ in 0..count {
        let message = Message::data("x".repeat(128));
        let published = joe.publish(message, "news".into());
        published.now_or_never().unwrap().unwrap();
    }
    subscriber
}

fn take(subscriber: &mut Subscriber) -> Poll<Option<Bytes>> {
    let mut cx = Context::from_waker(Waker::noop());
    Pin::new(subscriber).poll_next(&mut cx)
}

fn config() -> Criterion {
    Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
}

criterion_group! { name = benches; config = config(); targets = poll }
criterion_main!(benches);
