//! `Writer`: publishes into a history that may block, on its own thread, many messages at once.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError, mpsc as std_mpsc},
    thread,
    time::Duration,
};

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

/// The time for which the end of a Joe waits until the history has what was published. A disk that
/// takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(5);

/// The channel to the thread that stores and publishes. When this is dropped the thread stores what
/// it was given, flushes the history and ends, and is waited for, but not for ever.
#[derive(Debug)]
pub(super) struct Writer {
    /// `None` while this is being dropped.
    jobs: Option<mpsc::Sender<Job>>,
    /// Says that the thread has ended, by an error.
    ended: Mutex<std_mpsc::Receiver<()>>,
    thread: thread::ThreadId,
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
        let (ending, ended) = std_mpsc::channel();
        let write = move || {
            // Dropped in the reverse order: last it says that all this has ended.
            let _ending = ending;
            let end = EndWithWriter(shared);
            let history = history;
            let mut batch = Vec::with_capacity(BATCH);
            while waiting.blocking_recv_many(&mut batch, BATCH) > 0 {
                end.0.write(history.replayer.as_ref(), batch.drain(..));
            }
            end.0.flush(history.replayer.as_ref());
        };
        let thread = thread::Builder::new()
            .name("joe-writer".to_owned())
            .spawn(write)?;
        Ok(Self {
            jobs: Some(jobs),
            ended: Mutex::new(ended),
            thread: thread.thread().id(),
        })
    }

    async fn send(&self, job: Job) -> Result<(), ProviderClosed> {
        let jobs = self.jobs.as_ref().ok_or(ProviderClosed)?;
        jobs.send(job).await.map_err(|_| ProviderClosed)
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
        match self.send(job).await {
            Ok(()) => published.await.unwrap_or_else(|_| failed()),
            Err(_) => failed(),
        }
    }

    /// Closes after everything that was published before, and returns when the history has it for
    /// good.
    pub(super) async fn close(&self) -> Result<(), ProviderClosed> {
        let (done, closed) = oneshot::channel();
        self.send(Job::Close { done }).await?;
        closed.await.unwrap_or(Err(ProviderClosed))
    }
}

/// Waits for the thread, unless this is the thread: an application may let it go there, in the
/// function that errors are reported to.
impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if thread::current().id() == self.thread {
            return;
        }
        let ended = self.ended.get_mut().unwrap_or_else(PoisonError::into_inner);
        // After that time it goes on as long as the process does: nothing more can be done here.
        let _ = ended.recv_timeout(PATIENCE);
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
                    let closed = self.close();
                    self.flush(replayer);
                    let _ = done.send(closed);
                }
            }
        }
        self.store_and_publish(replayer, batch);
    }

    fn flush(&self, replayer: &dyn Replayer) {
        if let Err(error) = replayer.flush() {
            self.report(&error);
        }
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
