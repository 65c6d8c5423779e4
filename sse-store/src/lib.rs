#![doc = include_str!("../README.md")]

mod directory;
mod epochs;
mod error;
mod files;
mod log;
mod note;
mod record;
mod segment;
mod segments;
mod store;
mod writer;

pub use error::OpenError;
pub use store::{Lost, Options, Store};
pub use writer::Durability;
