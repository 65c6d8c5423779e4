//! What the models in `tests/` have in common.
#![cfg(sse_model)]

mod run;

pub use run::{block_on, check};
