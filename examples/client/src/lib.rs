//! A server with topics, a history and a goodbye, and a client that follows it: the parts of
//! `complex-server` and `complex-client`.

mod client;
mod counter;
mod server;

pub use client::follow;
pub use counter::Counter;
pub use server::{CLOSE, METRICS, NUMBERS, Server, publish_numbers};
