//! actix-web and an endless body.

use std::convert::Infallible;

use actix_web::{App, HttpResponse, HttpServer, web};
use anyhow::Result;
use futures_util::StreamExt as _;

use super::{Nobody, chunks};
use crate::{
    peers::Peer,
    server::{Server, Settings, listen},
};

/// The peer.
#[derive(Debug)]
pub(crate) struct ActixAlone;

impl Peer for ActixAlone {
    type Fanout = Nobody;

    fn block_on(future: impl Future<Output = Result<()>>) -> Result<()> {
        actix_web::rt::System::new().block_on(future)
    }

    fn fanout(_: &Settings) -> Result<Nobody> {
        Ok(Nobody)
    }

    async fn serve(Server { fanout, control }: Server<Nobody>) -> Result<()> {
        HttpServer::new(move || {
            control.spawn(fanout);
            App::new().route("/events", web::get().to(events))
        })
        .workers(1)
        .listen(listen()?)?
        .run()
        .await?;
        Ok(())
    }
}

async fn events() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/event-stream")
        .streaming(chunks().map(Ok::<_, Infallible>))
}
