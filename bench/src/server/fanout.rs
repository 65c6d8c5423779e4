//! What all peers share: a way to publish one message to everyone.

use std::future::Future;

/// Where messages go in.
pub(crate) trait Fanout: Clone + Send + Sync + 'static {
    /// Publishes to every client; gives the id of the message if it has one.
    ///
    /// Waits for clients only where the peer makes publishers wait.
    fn publish(&self, data: String) -> impl Future<Output = Option<String>> + Send;

    /// How many clients there are now.
    fn subscribers(&self) -> usize;
}
