//! The answer of an LLM as it arrives, from any endpoint that is compatible with `OpenAI`'s.
//! [`Chat::ask`] is the part to copy; [`mock`] is a server to ask without a key.

mod chat;
pub mod mock;

pub use chat::{AskError, Chat};
