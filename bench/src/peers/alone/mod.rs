//! Frameworks with one endless stream and nothing else: what a connection costs by itself.

pub(crate) mod actix;
pub(crate) mod axum;
pub(crate) mod hyper;
pub(crate) mod poem;
pub(crate) mod rocket;
pub(crate) mod warp;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, future, stream};

use crate::server::Fanout;

/// Nothing to publish to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nobody;

impl Fanout for Nobody {
    async fn publish(&self, _: String) -> Option<String> {
        None
    }

    fn subscribers(&self) -> usize {
        0
    }
}

/// A first chunk, and then nothing for ever.
fn chunks() -> impl Stream<Item = Bytes> + Send + Sync + use<> {
    stream::once(future::ready(Bytes::from_static(b":\n\n"))).chain(stream::pending())
}
