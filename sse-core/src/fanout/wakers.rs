//! `Wakers`: the tasks that wait for the next message of a topic.

use std::{sync::Arc, task::Waker};

use slab::Slab;
use smallvec::SmallVec;

use crate::wake::WakeTask;

/// The most wakers of a runtime that the publisher wakes itself. Waking this many costs less than
/// waking the task that would wake them.
const FEW: usize = 32;

/// The wakers of the tasks that wait for a topic, by the runtime that the tasks run on.
///
/// A generation ends when all wakers are taken. Then all keys are void.
#[derive(Debug, Default)]
pub(super) struct Wakers {
    runtimes: SmallVec<[RuntimeWakers; 1]>,
}

#[derive(Debug)]
struct RuntimeWakers {
    wake_task: Option<Arc<WakeTask>>,
    wakers: Slab<Waker>,
}

/// The place of a waker, within a generation.
#[derive(Clone, Copy, Debug)]
pub(super) struct WakerKey {
    runtime: u32,
    index: u32,
}

/// Wakers that are taken under a lock, to be woken once no lock is held.
#[derive(Debug, Default)]
pub(super) struct Wakeups {
    few: SmallVec<[Waker; 4]>,
    many: Vec<(Arc<WakeTask>, Slab<Waker>)>,
}

impl Wakers {
    /// Adds the waker of a task, with the wake task of the runtime that the task runs on.
    pub(super) fn add(&mut self, waker: &Waker, wake_task: Option<&Arc<WakeTask>>) -> WakerKey {
        let runtime = self.runtime_of(wake_task);
        let index = self.runtimes[runtime].wakers.insert(waker.clone());
        WakerKey {
            runtime: half(runtime),
            index: half(index),
        }
    }

    /// Removes a waker.
    pub(super) fn remove(&mut self, key: WakerKey) -> Option<Waker> {
        let runtime = self.runtimes.get_mut(key.runtime as usize)?;
        runtime.wakers.try_remove(key.index as usize)
    }

    /// Moves all wakers into `wakeups`: a few of a runtime one by one, more in one step.
    pub(super) fn take_all(&mut self, wakeups: &mut Wakeups) {
        for runtime in &mut self.runtimes {
            let count = runtime.wakers.len();
            match &runtime.wake_task {
                Some(wake_task) if count > FEW => {
                    // The tasks that come back grow the new table, so no publisher waits for
                    // memory.
                    let wakers = std::mem::take(&mut runtime.wakers);
                    wakeups.many.push((Arc::clone(wake_task), wakers));
                }
                _ => wakeups.few.extend(runtime.wakers.drain()),
            }
        }
    }

    fn runtime_of(&mut self, wake_task: Option<&Arc<WakeTask>>) -> usize {
        let is_same = |runtime: &RuntimeWakers| {
            runtime.wake_task.as_ref().map(Arc::as_ptr) == wake_task.map(Arc::as_ptr)
        };
        if let Some(index) = self.runtimes.iter().position(is_same) {
            return index;
        }
        let runtime = RuntimeWakers {
            wake_task: wake_task.cloned(),
            wakers: Slab::new(),
        };
        // Takes the place of a runtime that has ended, so that runtimes which come and go leave
        // nothing behind.
        if let Some(index) = self.runtimes.iter().position(RuntimeWakers::has_ended) {
            self.runtimes[index] = runtime;
            return index;
        }
        self.runtimes.push(runtime);
        self.runtimes.len() - 1
    }
}

impl RuntimeWakers {
    /// Returns `true` if nobody waits here and nobody can come back.
    fn has_ended(&self) -> bool {
        let wake_task = self.wake_task.as_ref();
        self.wakers.is_empty() && wake_task.is_some_and(|wake_task| wake_task.has_ended())
    }
}

impl Wakeups {
    /// Wakes the few, and lets each runtime's wake task wake the many. Not to be called under a
    /// lock.
    pub(super) fn wake(self) {
        self.few.into_iter().for_each(Waker::wake);
        for (wake_task, wakers) in self.many {
            wake_task.wake_all(wakers);
        }
    }
}

/// Halves the size of an index, of which each subscriber keeps two per topic.
fn half(index: usize) -> u32 {
    // proof: this many wakers would be 64 GiB, and the subscribers that wait ten times that
    u32::try_from(index).expect("fewer than four thousand million wait for one topic")
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use tokio::runtime::Builder;

    use super::{FEW, WakeTask, Wakers, Wakeups};

    #[test]
    fn runtimes_that_come_and_go_leave_nothing() {
        let mut wakers = Wakers::default();
        for _ in 0..10 {
            let runtime = Builder::new_current_thread().enable_time().build().unwrap();
            let wake_task = runtime.block_on(async { WakeTask::current() });
            let key = wakers.add(Waker::noop(), wake_task.as_ref());
            assert!(wakers.remove(key).is_some());
        }
        assert_eq!(wakers.runtimes.len(), 1);
    }

    #[test]
    fn many_are_left_to_their_runtime_and_a_few_are_not() {
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        let wake_task = runtime.block_on(async { WakeTask::current() });
        for (count, few, many) in [(FEW, FEW, 0), (FEW + 1, 0, 1)] {
            let mut wakers = Wakers::default();
            for _ in 0..count {
                wakers.add(Waker::noop(), wake_task.as_ref());
            }
            let mut wakeups = Wakeups::default();
            wakers.take_all(&mut wakeups);
            assert_eq!((wakeups.few.len(), wakeups.many.len()), (few, many));
            wakers.take_all(&mut wakeups);
            assert_eq!(wakeups.many.len(), many, "nobody is woken twice");
        }
    }
}
