//! hyper and an endless body.

use std::convert::Infallible;

use anyhow::Result;
use futures_util::StreamExt as _;
use http_body_util::StreamBody;
use hyper::body::Frame;

use super::{Nobody, chunks};
use crate::{
    peers::{Peer, hyper_broadcast::accept},
    server::{Server, Settings},
};

/// The peer.
#[derive(Debug)]
pub(crate) struct HyperAlone;

impl Peer for HyperAlone {
    type Fanout = Nobody;

    fn fanout(_: &Settings) -> Result<Nobody> {
        Ok(Nobody)
    }

    async fn serve(Server { fanout, control }: Server<Nobody>) -> Result<()> {
        control.spawn(fanout);
        accept(|| StreamBody::new(chunks().map(|chunk| Ok::<_, Infallible>(Frame::data(chunk)))))
            .await
    }
}
