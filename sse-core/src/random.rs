//! Random numbers, for names that must differ and for times that should.

use std::hash::{BuildHasher, Hasher, RandomState};

/// 64 random bits, from the standard library's source of them. Not for secrets.
pub(crate) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
