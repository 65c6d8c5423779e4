//! The primitives that the fan-out is built on, so that a model checker can stand in for them.

#[cfg(not(sse_model))]
pub(crate) use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
};

#[cfg(sse_model)]
pub(crate) use loom::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
};

/// The order of iteration has to be the same in each run of a model.
#[cfg(sse_model)]
pub(crate) type HashMap<K, V> = std::collections::HashMap<
    K,
    V,
    std::hash::BuildHasherDefault<std::collections::hash_map::DefaultHasher>,
>;

/// Locks; a poisoned lock is entered all the same.
///
/// Nothing of ours panics under a lock, and what a user's code may do there (a replayer that stores,
/// a waker that is cloned) happens before anything of ours is changed.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
