//! Those who wait for the next message of a topic.

use std::{sync::Arc, task::Waker};

use slab::Slab;
use smallvec::SmallVec;

use crate::attendant::Attendant;

/// So many are woken by the publisher itself: that is less work than to wake somebody who wakes them.
const FEW: usize = 32;

/// The wakers of those who wait, by the runtime that they run on.
///
/// A round ends when everyone is called. Then all places are void.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    crowds: SmallVec<[Crowd; 1]>,
}

#[derive(Debug)]
struct Crowd {
    attendant: Option<Arc<Attendant>>,
    wakers: Slab<Waker>,
}

/// Where a waker is, within a round.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    crowd: u32,
    key: u32,
}

/// Those who are to be woken, once no lock is held.
#[derive(Debug, Default)]
pub(super) struct Calls {
    few: SmallVec<[Waker; 4]>,
    crowds: Vec<(Arc<Attendant>, Slab<Waker>)>,
}

impl Waiting {
    /// Adds a waker and says where it is. The attendant is the one of the runtime that the waker's task runs on.
    pub(super) fn add(&mut self, waker: &Waker, attendant: Option<&Arc<Attendant>>) -> Place {
        let crowd = self.crowd_of(attendant);
        let key = self.crowds[crowd].wakers.insert(waker.clone());
        Place {
            crowd: number(crowd),
            key: number(key),
        }
    }

    /// Takes a waker out.
    pub(super) fn remove(&mut self, place: Place) -> Option<Waker> {
        let crowd = self.crowds.get_mut(place.crowd as usize)?;
        crowd.wakers.try_remove(place.key as usize)
    }

    /// Moves everyone into `calls`: a few one by one, a crowd in one step.
    pub(super) fn call(&mut self, calls: &mut Calls) {
        for crowd in &mut self.crowds {
            let count = crowd.wakers.len();
            match &crowd.attendant {
                Some(attendant) if count > FEW => {
                    // Those who come back grow the new table, so that no publisher waits for memory.
                    let wakers = std::mem::take(&mut crowd.wakers);
                    calls.crowds.push((Arc::clone(attendant), wakers));
                }
                _ => calls.few.extend(crowd.wakers.drain()),
            }
        }
    }

    fn crowd_of(&mut self, attendant: Option<&Arc<Attendant>>) -> usize {
        let is_theirs =
            |crowd: &Crowd| crowd.attendant.as_ref().map(Arc::as_ptr) == attendant.map(Arc::as_ptr);
        if let Some(index) = self.crowds.iter().position(is_theirs) {
            return index;
        }
        let crowd = Crowd {
            attendant: attendant.cloned(),
            wakers: Slab::new(),
        };
        // In the place of one that nobody can come back to, so that runtimes which come and go leave nothing.
        if let Some(index) = self.crowds.iter().position(Crowd::is_deserted) {
            self.crowds[index] = crowd;
            return index;
        }
        self.crowds.push(crowd);
        self.crowds.len() - 1
    }
}

impl Crowd {
    fn is_deserted(&self) -> bool {
        let attendant = self.attendant.as_ref();
        self.wakers.is_empty() && attendant.is_some_and(|attendant| attendant.has_ended())
    }
}

impl Calls {
    /// Wakes the few and lets the runtimes wake their crowds. Not to be called under a lock.
    pub(super) fn make(self) {
        self.few.into_iter().for_each(Waker::wake);
        for (attendant, wakers) in self.crowds {
            attendant.wake_all(wakers);
        }
    }
}

/// Half the size, for each seat of each subscriber.
fn number(index: usize) -> u32 {
    // proof: so many wakers would be 64 GiB, and the subscribers who wait with them ten times that
    u32::try_from(index).expect("fewer than four thousand million wait for one topic")
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use tokio::runtime::Builder;

    use super::{Attendant, Calls, FEW, Waiting};

    #[test]
    fn runtimes_that_come_and_go_leave_nothing() {
        let mut waiting = Waiting::default();
        for _ in 0..10 {
            let runtime = Builder::new_current_thread().enable_time().build().unwrap();
            let attendant = runtime.block_on(async { Attendant::current() });
            let place = waiting.add(Waker::noop(), attendant.as_ref());
            assert!(waiting.remove(place).is_some());
        }
        assert_eq!(waiting.crowds.len(), 1);
    }

    #[test]
    fn a_crowd_is_left_to_its_runtime_and_a_few_are_not() {
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        let attendant = runtime.block_on(async { Attendant::current() });
        for (count, few, crowds) in [(FEW, FEW, 0), (FEW + 1, 0, 1)] {
            let mut waiting = Waiting::default();
            for _ in 0..count {
                waiting.add(Waker::noop(), attendant.as_ref());
            }
            let mut calls = Calls::default();
            waiting.call(&mut calls);
            assert_eq!((calls.few.len(), calls.crowds.len()), (few, crowds));
            waiting.call(&mut calls);
            assert_eq!(calls.crowds.len(), crowds, "nobody is called twice");
        }
    }
}
