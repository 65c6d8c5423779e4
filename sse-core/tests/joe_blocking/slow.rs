//! A history that blocks, and a gate to block it.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use sse_conformance::{DEADLINE, in_time};
use sse_core::{
    EventId, FiniteReplayer, Joe, Message, Topics,
    joe::JoeBuilder,
    replay::{Blocking, Cursor, Page, Position, ReadError, Replayer, StoreError, Stored},
};

/// A history on a slow device. Every call waits at the gate.
#[derive(Debug)]
pub(crate) struct Slow {
    pub(crate) history: FiniteReplayer,
    pub(crate) gate: Arc<Gate>,
}

/// A gate, open or shut, and the calls that wait at it.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    is_shut: Mutex<bool>,
    changed: Condvar,
    waiting: AtomicUsize,
    pub(crate) most: AtomicUsize,
    pub(crate) stored: AtomicUsize,
    /// The topics of the pages, in the order in which they were read.
    pub(crate) pages: Mutex<Vec<String>>,
    /// The errors of the next calls.
    failures: Mutex<VecDeque<&'static str>>,
}

impl Gate {
    pub(crate) fn shut(&self) {
        *self.is_shut.lock().unwrap() = true;
    }

    pub(crate) fn open(&self) {
        *self.is_shut.lock().unwrap() = false;
        self.changed.notify_all();
    }

    fn pass(&self) -> Result<(), StoreError> {
        let waiting = self.waiting.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(waiting, Ordering::SeqCst);
        let is_shut = self.is_shut.lock().unwrap();
        let opened = self
            .changed
            .wait_timeout_while(is_shut, DEADLINE, |is_shut| *is_shut);
        assert!(!opened.unwrap().1.timed_out(), "the gate is opened");
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        let failure = self.failures.lock().unwrap().pop_front();
        match failure {
            Some("panic") => panic!("as asked"),
            Some(failure) => Err(StoreError::new(failure)),
            None => Ok(()),
        }
    }

    pub(crate) fn fail_next(&self, failure: &'static str) {
        self.failures.lock().unwrap().push_back(failure);
    }

    pub(crate) async fn somebody_waits(&self, count: usize) {
        let there = async {
            while self.waiting.load(Ordering::SeqCst) != count {
                tokio::task::yield_now().await;
            }
        };
        in_time("somebody at the gate", there).await;
    }
}

impl Replayer for Slow {
    fn append(&self, batch: Vec<(Message, Topics)>) -> Vec<Result<Stored, StoreError>> {
        let append = |message| {
            self.gate.pass()?;
            self.gate.stored.fetch_add(1, Ordering::SeqCst);
            self.history.append(vec![message]).remove(0)
        };
        batch.into_iter().map(append).collect()
    }

    fn end(&self) -> Position {
        self.history.end()
    }

    fn cursor_id(&self, from: Cursor, topics: &Topics) -> EventId {
        self.history.cursor_id(from, topics)
    }

    fn earliest(&self, topics: &Topics) -> Cursor {
        self.history.earliest(topics)
    }

    fn seek(&self, id: &EventId, topics: &Topics, blocking: Blocking) -> Result<Cursor, ReadError> {
        blocking.check()?;
        self.gate.pass()?;
        self.history.seek(id, topics, blocking)
    }

    fn page(
        &self,
        from: Cursor,
        until: Position,
        topics: &Topics,
        blocking: Blocking,
    ) -> Result<Page, ReadError> {
        blocking.check()?;
        let topic = topics.iter().next().unwrap_or_default().to_owned();
        self.gate.pages.lock().unwrap().push(topic);
        self.gate.pass()?;
        self.history.page(from, until, topics, blocking)
    }

    fn is_blocking(&self) -> bool {
        true
    }
}

pub(crate) fn slow() -> (JoeBuilder, Arc<Gate>) {
    let history = FiniteReplayer::new(20_000);
    let gate = Arc::new(Gate::default());
    let replayer = Slow {
        history,
        gate: Arc::clone(&gate),
    };
    (Joe::builder().replayer(replayer), gate)
}

/// A history that stores at once, and then waits at the gate.
#[derive(Debug)]
pub(crate) struct StoresThenWaits(pub(crate) Slow);

impl Replayer for StoresThenWaits {
    fn append(&self, batch: Vec<(Message, Topics)>) -> Vec<Result<Stored, StoreError>> {
        let append = |message| {
            let stored = self.0.history.append(vec![message]).remove(0);
            self.0.gate.pass()?;
            stored
        };
        batch.into_iter().map(append).collect()
    }

    fn end(&self) -> Position {
        self.0.end()
    }

    fn cursor_id(&self, from: Cursor, topics: &Topics) -> EventId {
        self.0.cursor_id(from, topics)
    }

    fn earliest(&self, topics: &Topics) -> Cursor {
        self.0.earliest(topics)
    }

    fn seek(&self, id: &EventId, topics: &Topics, blocking: Blocking) -> Result<Cursor, ReadError> {
        blocking.check()?;
        self.0.history.seek(id, topics, blocking)
    }

    fn page(
        &self,
        from: Cursor,
        until: Position,
        topics: &Topics,
        blocking: Blocking,
    ) -> Result<Page, ReadError> {
        blocking.check()?;
        let page = self.0.history.page(from, until, topics, blocking);
        self.0.gate.pages.lock().unwrap().push(String::new());
        page
    }

    fn is_blocking(&self) -> bool {
        true
    }
}
