//! The common parts of the models in `tests/`.
#![cfg(sse_model)]

mod run;

pub use run::{block_on, check};
