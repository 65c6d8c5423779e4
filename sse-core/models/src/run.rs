//! Running a model, and a task in it.

use std::{
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
};

use loom::{model::Builder, sync::Notify};

/// Runs a model under every interleaving in which threads are interrupted at most this many times
/// at a place where they need not wait.
pub fn check(interruptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(interruptions);
    builder.max_branches = 10_000;
    builder.check(model);
}

/// Runs a task on this thread. As with real executors, and unlike with loom's own, two wakers of
/// the task compare as equal.
pub fn block_on<F: Future>(task: F) -> F::Output {
    let call = Arc::new(Call(Notify::new()));
    let waker = Waker::from(Arc::clone(&call));
    let mut task = pin!(task);
    loop {
        match task.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => call.0.wait(),
        }
    }
}

struct Call(Notify);

impl Wake for Call {
    fn wake(self: Arc<Self>) {
        self.0.notify();
    }
}
