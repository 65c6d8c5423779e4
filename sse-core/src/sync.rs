//! The primitives that the fan-out is built on, which a model checker can replace.

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
/// Our code does not panic under a lock. A user's code may (a replayer that stores, a waker that is
/// cloned), but it runs before our state is changed.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
