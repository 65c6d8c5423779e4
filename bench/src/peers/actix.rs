//! actix-web: `sse-actix`; `sse` of actix-web-lab with a channel for each client, as in the actix
//! examples; and an endless body.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use actix_web::{App, HttpResponse, HttpServer, Responder, web, web::ThinData};
use actix_web_lab::sse;
use anyhow::Result;
use futures_util::StreamExt as _;
use sse_actix::{Hub, LastEventId, Sse, SseError, Subscription};
use tokio::sync::mpsc::{self, Sender, error::TrySendError};

use super::fanouts::{OurHub, endless};
use crate::server::{Control, Fanout, Settings, listen, stop_signal};

/// Runs the future on the runtime of actix-web.
pub(super) fn block_on(future: impl Future<Output = Result<()>>) -> Result<()> {
    actix_web::rt::System::new().block_on(future)
}

pub(super) async fn ours(settings: &Settings, control: Control) -> Result<()> {
    let fanout = OurHub::new(settings)?;
    let hub = fanout.hub.clone();
    let stop = hub.shutdown_on(stop_signal());
    let server = HttpServer::new(move || {
        // Here, on the thread of the one worker, and not on the thread of `main`.
        control.spawn(fanout.clone());
        let app = App::new().app_data(ThinData(hub.clone()));
        app.route("/events", web::get().to(our_events))
    });
    let server = server.workers(1).shutdown_signal(stop).shutdown_timeout(1);
    let server = server.h1_allow_half_closed(false).listen(listen()?)?;
    Ok(server.run().await?)
}

async fn our_events(hub: ThinData<Hub>, last: LastEventId) -> Result<Sse, SseError> {
    let subscription = Subscription::to(()).resume_from(last.0);
    Ok(Sse(hub.0.subscribe(subscription).await?))
}

pub(super) async fn own(control: Control) -> Result<()> {
    let clients = Clients::default();
    let server = HttpServer::new(move || {
        let clients = control.spawn(clients.clone());
        let app = App::new().app_data(ThinData(clients));
        app.route("/events", web::get().to(own_events))
    });
    let server = server.workers(1).shutdown_signal(stop_signal());
    Ok(server.listen(listen()?)?.run().await?)
}

async fn own_events(clients: ThinData<Clients>) -> impl Responder {
    let (sender, receiver) = mpsc::channel(CAPACITY);
    clients.0.lock().push(sender);
    sse::Sse::from_infallible_receiver(receiver).with_keep_alive(Duration::from_secs(15))
}

/// Messages that a client may be behind before the publisher waits for it.
const CAPACITY: usize = 1_024;

/// The clients' channels.
#[derive(Clone, Default)]
struct Clients(Arc<Mutex<Vec<Sender<sse::Event>>>>);

impl Clients {
    fn lock(&self) -> MutexGuard<'_, Vec<Sender<sse::Event>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fanout for Clients {
    async fn publish(&self, data: String) -> Option<String> {
        let event = sse::Event::Data(sse::Data::new(data));
        let mut full = Vec::new();
        let mut send = |client: &Sender<_>| match client.try_send(event.clone()) {
            Ok(()) => true,
            Err(TrySendError::Full(event)) => {
                full.push((client.clone(), event));
                true
            }
            Err(TrySendError::Closed(_)) => false,
        };
        self.lock().retain(|client| send(client));
        for (client, event) in full {
            // An error means that the client has left meanwhile.
            let _ = client.send(event).await;
        }
        None
    }

    fn subscribers(&self) -> usize {
        let clients = self.lock();
        clients.iter().filter(|client| !client.is_closed()).count()
    }
}

pub(super) async fn alone() -> Result<()> {
    let server = HttpServer::new(|| App::new().route("/events", web::get().to(endless_body)));
    Ok(server.workers(1).listen(listen()?)?.run().await?)
}

async fn endless_body() -> HttpResponse {
    let mut response = HttpResponse::Ok();
    let response = response.content_type("text/event-stream");
    response.streaming(endless().map(Ok::<_, Infallible>))
}
