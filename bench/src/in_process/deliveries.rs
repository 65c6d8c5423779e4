//! Messages with known readers, one after the other, and what they take.

use anyhow::Result;
use sse_core::Message;

use super::{
    crowd::Crowd,
    measure::{Spent, Stopwatch, nanos, real},
};
use crate::clock;

/// Bytes of data of a message.
pub(super) const SIZE: usize = 128;

/// A message with [`SIZE`] bytes of data.
pub(super) fn message() -> Message {
    Message::data("x".repeat(SIZE))
}

/// The length of such a message on the wire, without an id.
pub(super) fn wire_size() -> usize {
    message().to_bytes().len()
}

/// Publishes a message to each target and waits until so many have read it, before the next. The first warms up.
///
/// Nanoseconds until publishing returns; and for each delivery, wall and CPU, everything from the making of the
/// message until all have read it. An error says that a delivery is missing or was doubled.
pub(super) async fn deliver<T>(
    crowd: &Crowd,
    targets: impl IntoIterator<Item = (T, usize)>,
    publish: impl AsyncFn(Message, T) -> Result<()>,
) -> Result<Vec<f64>> {
    let size = wire_size();
    let mut targets = targets.into_iter();
    let mut expected = crowd.bytes();
    if let Some((target, readers)) = targets.next() {
        publish(message(), target).await?;
        expected += readers * size;
        crowd.until(expected).await?;
    }
    let (mut messages, mut deliveries, mut publishing) = (0, 0, 0);
    let watch = Stopwatch::start();
    for (target, readers) in targets {
        let message = message();
        let began = clock::now();
        publish(message, target).await?;
        publishing += clock::now() - began;
        messages += 1;
        deliveries += readers;
        expected += readers * size;
        crowd.until(expected).await?;
    }
    let spent = watch.stop();
    // Two looks at the clock for each message; what they measure includes about one.
    let look = Stopwatch::own().wall;
    let looks = Spent {
        wall: look * 2.0,
        cpu: look * 2.0,
    };
    let publish = nanos(publishing) / real(messages) - look;
    let [wall, cpu] = spent.without(looks, messages).each(deliveries);
    Ok(vec![publish, wall, cpu])
}
