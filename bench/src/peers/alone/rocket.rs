//! Rocket and an endless body.

use anyhow::Result;
use bytes::Bytes;
use futures_util::Stream;
use rocket::{get, http::ContentType, response::stream::ByteStream, routes};

use super::{Nobody, chunks};
use crate::{
    peers::{
        Peer,
        rocket_sse::{announcing, config, launch},
    },
    server::{Server, Settings},
};

/// The peer.
#[derive(Debug)]
pub(crate) struct RocketAlone;

impl Peer for RocketAlone {
    type Fanout = Nobody;

    fn fanout(_: &Settings) -> Result<Nobody> {
        Ok(Nobody)
    }

    async fn serve(Server { fanout, control }: Server<Nobody>) -> Result<()> {
        control.spawn(fanout);
        launch(announcing(rocket::custom(config())).mount("/", routes![events])).await
    }
}

#[get("/events")]
fn events() -> (ContentType, ByteStream<impl Stream<Item = Bytes>>) {
    (ContentType::EventStream, ByteStream(chunks()))
}
