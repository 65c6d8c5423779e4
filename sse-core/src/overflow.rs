//! `Overflow`: the policy for clients that read too slowly.

/// The policy for a reader that has fallen out of its queue.
///
/// Under each policy nobody else notices, and nothing is lost in silence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Overflow {
    /// It continues from the history, unseen by the client, and joins again when it has caught up.
    /// Without a history, or with not enough of it, the policy is
    /// [`Disconnect`](Self::Disconnect). The recommended setting.
    #[default]
    CatchUp,
    /// Its stream ends cleanly. The client reconnects with its `Last-Event-ID`, which the beginning
    /// of the stream has given it if no message has, and gets the messages that it missed or is
    /// told of the gap.
    Disconnect,
    /// It goes on with what is left in the queue, the newest messages, after an in-band `event:
    /// gap` with the reason [`Skipped`](crate::resume::Gap::Skipped), unless the subscription is
    /// [`Silent`](crate::OnGap::Silent). For messages that are worthless when old, such as prices:
    /// a queue of [one message](crate::joe::JoeBuilder::queue_messages) always gives a slow reader
    /// the newest.
    ///
    /// A reader of several topics may be given that notice with more than one piece: each time that
    /// something it lost may still come before what follows.
    ///
    /// A queue then stays as long as its bounds allow while somebody does not read.
    Skip,
}
