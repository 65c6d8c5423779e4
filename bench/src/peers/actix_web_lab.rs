//! actix-web-lab's `sse` with a channel for each client, as in the actix examples.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use actix_web::{App, HttpServer, Responder, web, web::ThinData};
use actix_web_lab::sse::{self, Sse};
use anyhow::Result;
use tokio::sync::mpsc::{self, error::TrySendError};

use super::Peer;
use crate::server::{Fanout, Server, Settings, listen, stop_signal};

/// Messages that a client may be behind before the publisher waits for it.
const CAPACITY: usize = 1_024;

/// The peer.
#[derive(Debug)]
pub(crate) struct ActixWebLab;

/// The clients' channels.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clients(Arc<Mutex<Vec<mpsc::Sender<sse::Event>>>>);

impl Peer for ActixWebLab {
    type Fanout = Clients;

    fn block_on(future: impl Future<Output = Result<()>>) -> Result<()> {
        actix_web::rt::System::new().block_on(future)
    }

    fn fanout(_: &Settings) -> Result<Clients> {
        Ok(Clients::default())
    }

    async fn serve(Server { fanout, control }: Server<Clients>) -> Result<()> {
        HttpServer::new(move || {
            // Here, on the thread of the one worker, and not on that of `main`.
            control.spawn(fanout.clone());
            App::new()
                .app_data(ThinData(fanout.clone()))
                .route("/events", web::get().to(events))
        })
        .workers(1)
        .shutdown_signal(stop_signal())
        .listen(listen()?)?
        .run()
        .await?;
        Ok(())
    }
}

async fn events(ThinData(clients): ThinData<Clients>) -> impl Responder {
    let (sender, receiver) = mpsc::channel(CAPACITY);
    clients.lock().push(sender);
    Sse::from_infallible_receiver(receiver).with_keep_alive(Duration::from_secs(15))
}

impl Clients {
    fn lock(&self) -> MutexGuard<'_, Vec<mpsc::Sender<sse::Event>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fanout for Clients {
    async fn publish(&self, data: String) -> Option<String> {
        let event = sse::Event::Data(sse::Data::new(data));
        let mut full = Vec::new();
        self.lock()
            .retain(|client| match client.try_send(event.clone()) {
                Ok(()) => true,
                Err(TrySendError::Full(event)) => {
                    full.push((client.clone(), event));
                    true
                }
                Err(TrySendError::Closed(_)) => false,
            });
        for (client, event) in full {
            // An error means that the client has left meanwhile.
            let _ = client.send(event).await;
        }
        None
    }

    fn subscribers(&self) -> usize {
        self.lock()
            .iter()
            .filter(|client| !client.is_closed())
            .count()
    }
}
