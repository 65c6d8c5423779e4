//! `History`: the history as Joe's readers see it, a page at a time.

use std::{future::Future, pin::Pin, sync::Arc};

use sync_wrapper::SyncFuture;
use tokio::{runtime::Handle, sync::Semaphore};

use crate::{
    replay::{Blocking, ReadError, Replayer, StoreError, Stored},
    topics::Topics,
    wire::Message,
};

/// A replayer, and the permits to read it.
#[derive(Debug)]
pub(super) struct History {
    pub(super) replayer: Box<dyn Replayer>,
    /// One for each reader that may read at once, given in the order in which they are asked for.
    permits: Arc<Semaphore>,
}

/// The answer to a reader: ready, or a future.
pub(super) enum Reading<T> {
    Done(Result<T, ReadError>),
    Waiting(Waiting<T>),
}

/// Brings the history back with the answer: the reader that waits may be the last to need it.
pub(super) type Waiting<T> = Pin<Box<dyn Future<Output = Waited<T>> + Send + Sync>>;

type Waited<T> = (Arc<History>, Result<T, ReadError>);

impl History {
    pub(super) fn new(replayer: Box<dyn Replayer>, readers: usize) -> Self {
        let permits = readers.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            replayer,
            permits: Arc::new(Semaphore::new(permits)),
        }
    }

    /// Appends one message.
    pub(super) fn append(&self, message: Message, topics: Topics) -> Result<Stored, StoreError> {
        let answer = self.replayer.append(vec![(message, topics)]).pop();
        answer.unwrap_or_else(|| Err(StoreError::new("the history has not answered")))
    }

    /// Reads at once if there is a permit and the answer is in memory. If not, the answer is a
    /// future, which waits for a permit.
    pub(super) fn read<T: Send + 'static>(
        self: &Arc<Self>,
        topics: &Topics,
        look: impl Fn(&dyn Replayer, &Topics, Blocking) -> Result<T, ReadError> + Send + 'static,
    ) -> Reading<T> {
        if let Ok(_permit) = self.permits.try_acquire() {
            let answer = look(self.replayer.as_ref(), topics, Blocking::Forbidden);
            if !matches!(answer, Err(ReadError::WouldBlock)) {
                return Reading::Done(answer);
            }
        }
        let (history, topics) = (Arc::clone(self), topics.clone());
        let reading = async move {
            let read = move |replayer: &dyn Replayer| look(replayer, &topics, Blocking::Allowed);
            let answer = Arc::clone(&history).read_with_permit(read).await;
            (history, answer)
        };
        Reading::Waiting(Box::pin(SyncFuture::new(reading)))
    }

    /// Reads on a thread that may block, if the replayer may. Without a runtime there is no other
    /// thread than this.
    async fn read_with_permit<T: Send + 'static>(
        self: Arc<Self>,
        look: impl FnOnce(&dyn Replayer) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ReadError> {
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let is_blocking = self.replayer.is_blocking();
        let read = move || {
            // Held until this has been read, even if the reader has left.
            let _permit = permit;
            look(self.replayer.as_ref())
        };
        match Handle::try_current() {
            Ok(runtime) if is_blocking => {
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
