//! One thread's share of coming and going.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use anyhow::{Result, ensure};
use futures_util::Stream as _;
use sse_core::{Hub, Joe, SseBody, Subscription};
use tokio::runtime::{Builder, Runtime};

/// How subscriptions are spread over topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spread {
    One,
    Hundred,
    /// Each has a topic that nobody had before.
    Unique,
}

/// A hub to which subscribers come.
#[derive(Debug)]
pub(crate) struct Turnover {
    hub: Hub,
    spread: Spread,
    /// Those who stay.
    _residents: Vec<SseBody>,
}

impl Spread {
    /// As it is named on the command line.
    pub(crate) const ALL: [(Self, &str); 3] = [
        (Self::One, "one"),
        (Self::Hundred, "hundred"),
        (Self::Unique, "unique"),
    ];

    /// How many topics are shared.
    fn shared(self) -> usize {
        match self {
            Self::One => 1,
            Self::Hundred => 100,
            Self::Unique => 0,
        }
    }
}

impl Turnover {
    pub(crate) fn new(spread: Spread) -> Result<Self> {
        let hub = Hub::new(Joe::new());
        let runtime = Builder::new_current_thread().enable_time().build()?;
        let residents = runtime.block_on(async {
            let mut residents = Vec::new();
            for topic in 0..spread.shared() {
                let subscription = Subscription::to(format!("topic-{topic}"));
                residents.push(hub.subscribe(subscription).await?);
            }
            anyhow::Ok(residents)
        })?;
        Ok(Self {
            hub,
            spread,
            _residents: residents,
        })
    }

    /// So many come and go, one after the other, on this thread.
    pub(crate) fn run(&self, runtime: &Runtime, thread: usize, count: usize) -> Result<()> {
        runtime.block_on(async {
            for number in 0..count {
                let topic = match self.spread.shared() {
                    0 => format!("topic-{thread}-{number}"),
                    shared => format!("topic-{}", number % shared),
                };
                let mut body = self.hub.subscribe(Subscription::to(topic)).await?;
                let waits = std::future::poll_fn(|cx| Poll::Ready(is_waiting(&mut body, cx))).await;
                ensure!(
                    waits,
                    "a new subscriber was given something else than the first bytes"
                );
            }
            Ok(())
        })
    }
}

/// Whether there were the first bytes and nothing after them.
fn is_waiting(body: &mut SseBody, cx: &mut Context<'_>) -> bool {
    let first = Pin::new(&mut *body).poll_next(cx);
    matches!(first, Poll::Ready(Some(bytes)) if bytes.starts_with(b"id: "))
        && Pin::new(body).poll_next(cx).is_pending()
}
