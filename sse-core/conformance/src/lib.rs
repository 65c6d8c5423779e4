#![doc = include_str!("../README.md")]
#![expect(clippy::missing_panics_doc, reason = "a case fails by panicking")]

pub mod adapter;
mod cases;
mod events;
pub mod model;
pub mod overflow;
pub mod provider;
pub mod replayer;

pub use cases::{DEADLINE, in_time};
pub use events::{OwnedEvent, decode};
