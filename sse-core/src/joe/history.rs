//! The history as Joe's readers see it: a page at a time, some at once, nobody held up.

use std::{future::Future, pin::Pin, sync::Arc};

use sync_wrapper::SyncFuture;
use tokio::{runtime::Handle, sync::Semaphore};

use crate::replay::{ReadError, Replayer, StoreError};

/// A replayer, and who may read it now.
#[derive(Debug)]
pub(super) struct History {
    pub(super) replayer: Box<dyn Replayer>,
    /// One for each who may read at once. Given in the order in which they are asked for.
    turns: Arc<Semaphore>,
}

/// The answer to a reader: there, or to be waited for.
pub(super) enum Reading<T> {
    Done(Result<T, ReadError>),
    Waiting(Waiting<T>),
}

/// Brings the history back with the answer: who waits may be the last to need it.
pub(super) type Waiting<T> = Pin<Box<dyn Future<Output = Waited<T>> + Send + Sync>>;

type Waited<T> = (Arc<History>, Result<T, ReadError>);

impl History {
    pub(super) fn new(replayer: Box<dyn Replayer>, readers: usize) -> Self {
        let turns = readers.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            replayer,
            turns: Arc::new(Semaphore::new(turns)),
        }
    }

    /// Reads when it is one's turn: at once if there is one and nothing has to be waited for.
    pub(super) fn read<T: Send + 'static>(
        self: &Arc<Self>,
        look_now: impl FnOnce(&dyn Replayer) -> Option<Result<T, ReadError>>,
        look: impl FnOnce(&dyn Replayer) -> Result<T, ReadError> + Send + 'static,
    ) -> Reading<T> {
        if let Ok(_turn) = self.turns.try_acquire()
            && let Some(answer) = look_now(self.replayer.as_ref())
        {
            return Reading::Done(answer);
        }
        let history = Arc::clone(self);
        let reading = async move {
            let answer = Arc::clone(&history).read_in_turn(look).await;
            (history, answer)
        };
        Reading::Waiting(Box::pin(SyncFuture::new(reading)))
    }

    /// On a thread that may wait, if the replayer may. Without a runtime there is none but this.
    async fn read_in_turn<T: Send + 'static>(
        self: Arc<Self>,
        look: impl FnOnce(&dyn Replayer) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ReadError> {
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let may_wait = self.replayer.may_wait();
        let read = move || {
            // The turn is over when this has been read, even if whoever asked has left.
            let _turn = turn;
            look(self.replayer.as_ref())
        };
        match Handle::try_current() {
            Ok(runtime) if may_wait => {
                let reading = runtime.spawn_blocking(read).await;
                reading.unwrap_or_else(|failed| Err(StoreError::new(failed).into()))
            }
            _ => read(),
        }
    }
}

impl<T> Reading<T> {
    pub(super) async fn wait(self) -> Result<T, ReadError> {
        match self {
            Self::Done(answer) => answer,
            Self::Waiting(waiting) => waiting.await.1,
        }
    }
}
