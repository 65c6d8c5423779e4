//! What becomes of a client that reads too slowly.

/// What a provider does with a reader that has fallen out of its queue.
///
/// Whichever it is, nobody else notices, and nothing is lost in silence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Overflow {
    /// It continues from the history, unseen by the client, and joins again when it has caught up: the recommended
    /// setting. Where there is no history, or not enough of it, as [`Disconnect`](Self::Disconnect).
    #[default]
    CatchUp,
    /// Its stream ends cleanly. The client reconnects with its `Last-Event-ID`, which the stream's beginning has given it
    /// if no message has, and is given what it missed or told of the gap.
    Disconnect,
    /// It goes on with what is left in the queue, the newest messages, after an in-band `event:
    /// gap` with the reason [`Skipped`](crate::resume::Gap::Skipped), unless the subscription is
    /// [`Silent`](crate::OnGap::Silent). For what is worthless when old, such as prices: a queue of
    /// [one message](crate::joe::JoeBuilder::queue_messages) always gives a slow reader the newest.
    ///
    /// A reader of several topics may be given that notice with more than one piece: each time that
    /// something it lost may still come before what follows.
    ///
    /// A queue then stays as long as its bounds allow while somebody does not read.
    Skip,
}
