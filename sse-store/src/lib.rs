#![doc = include_str!("../README.md")]

mod directory;
mod epochs;
mod error;
mod options;
mod record;
mod segment;
mod segments;
mod store;
mod write;

pub use error::OpenError;
pub use options::{Durability, Options};
pub use store::{Lost, Store};
