//! `Writer`: publishes into a history that may block, on its own thread, many messages at once.

use std::{io, sync::Arc, thread};

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use super::{
    history::History,
    shared::{FAILED, Shared},
};
use crate::{
    error::{ProviderClosed, PublishError},
    provider::{Published, is_kept},
    replay::{Replayer, Stored},
    topics::Topics,
    wire::Message,
};

/// The number of messages that wait, and of those that are stored at once; more publishers wait for
/// room.
const BATCH: usize = 1_024;

/// The channel to the thread that stores and publishes. The thread ends when this is dropped.
#[derive(Debug)]
pub(super) struct Writer {
    jobs: mpsc::Sender<Job>,
}

enum Job {
    Publish {
        message: Message,
        topics: Topics,
        done: Done,
    },
    Close {
        done: oneshot::Sender<Result<(), ProviderClosed>>,
    },
}

impl Writer {
    pub(super) fn start(shared: Arc<Shared>, history: Arc<History>) -> io::Result<Self> {
        let (jobs, mut waiting) = mpsc::channel(BATCH);
        let end = EndWithWriter(shared);
        let write = move || {
            let mut batch = Vec::with_capacity(BATCH);
            while waiting.blocking_recv_many(&mut batch, BATCH) > 0 {
                end.0.write(history.replayer.as_ref(), batch.drain(..));
            }
        };
        thread::Builder::new()
            .name("joe-writer".to_owned())
            .spawn(write)?;
        Ok(Self { jobs })
    }

    /// Returns when the message has been stored and delivered. If this is cancelled before the
    /// thread comes to the message, it is neither.
    pub(super) async fn publish(
        &self,
        message: Message,
        topics: Topics,
    ) -> Result<Published, PublishError> {
        let (done, published) = oneshot::channel();
        let job = Job::Publish {
            message,
            topics,
            done,
        };
        // Without an answer the thread is gone, because the replayer has panicked.
        let failed = || Err(PublishError::Provider(FAILED.into()));
        match self.jobs.send(job).await {
            Ok(()) => published.await.unwrap_or_else(|_| failed()),
            Err(_) => failed(),
        }
    }

    /// Closes after everything that was published before.
    pub(super) async fn close(&self) -> Result<(), ProviderClosed> {
        let (done, closed) = oneshot::channel();
        if self.jobs.send(Job::Close { done }).await.is_err() {
            return Err(ProviderClosed);
        }
        closed.await.unwrap_or(Err(ProviderClosed))
    }
}

/// The answer that a publisher waits for.
type Done = oneshot::Sender<Result<Published, PublishError>>;

impl Shared {
    fn write(&self, replayer: &dyn Replayer, jobs: impl Iterator<Item = Job>) {
        let mut batch = Vec::new();
        for job in jobs {
            match job {
                Job::Publish { done, .. } if done.is_closed() => {}
                Job::Publish { done, .. } if self.fanout.is_closed() => {
                    let _ = done.send(Err(ProviderClosed.into()));
                }
                Job::Publish {
                    message,
                    topics,
                    done,
                } => batch.push((message, topics, done)),
                Job::Close { done } => {
                    self.store_and_publish(replayer, std::mem::take(&mut batch));
                    let _ = done.send(self.close());
                }
            }
        }
        self.store_and_publish(replayer, batch);
    }

    /// Stores all messages, then delivers them, so that nobody receives one that could still be
    /// lost.
    fn store_and_publish(&self, replayer: &dyn Replayer, batch: Vec<(Message, Topics, Done)>) {
        let mut kept = Vec::new();
        let mut waiting = Vec::new();
        for (message, topics, done) in batch {
            let comment = if is_kept(&message) {
                kept.push((message, topics.clone()));
                None
            } else {
                Some(message.to_bytes())
            };
            waiting.push((comment, topics, done));
        }
        let mut stored = replayer.append(kept).into_iter();
        for (comment, topics, done) in waiting {
            let published = match comment {
                Some(bytes) => self.publish_comment(&topics, &bytes),
                None => match stored.next() {
                    Some(stored) => stored
                        .map_err(PublishError::from)
                        .and_then(|stored| self.publish_stored(&topics, stored)),
                    None => Err(PublishError::Provider(
                        "the history has not answered".into(),
                    )),
                },
            };
            // The publisher may have gone.
            let _ = done.send(published);
        }
    }

    fn publish_comment(&self, topics: &Topics, bytes: &Bytes) -> Result<Published, PublishError> {
        let fanout = self.fanout.lock()?;
        let position = fanout.position();
        fanout.publish(topics, bytes, position);
        Ok(Published::new(None))
    }

    fn publish_stored(&self, topics: &Topics, stored: Stored) -> Result<Published, PublishError> {
        let Stored {
            id,
            bytes,
            position,
        } = stored;
        self.fanout.lock()?.publish(topics, &bytes, position);
        Ok(Published::new(Some(id)))
    }
}

/// Ends the streams with the thread, after which nobody can publish. A replayer that panics ends
/// the thread, too.
struct EndWithWriter(Arc<Shared>);

impl Drop for EndWithWriter {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.fail();
        } else {
            let _ = self.0.close();
        }
    }
}
