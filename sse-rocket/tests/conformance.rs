//! Rocket against the adapter suite.

use std::{collections::HashSet, io::Cursor, net::TcpListener};

use rocket::{
    Build, Config, Rocket, State,
    config::{LogLevel, Shutdown},
    fairing::AdHoc,
    futures::stream,
    get,
    http::{Header, Status, uri::Origin},
    response::{
        Responder,
        stream::{One, ReaderStream},
    },
    routes,
    tokio::{self, net::TcpSocket, sync::oneshot},
};
use sse_conformance::adapter::{CHANNEL_KEEP_ALIVE, Stop, Subject, panicking, produce};
use sse_rocket::{
    Hub, HubFairing, LastEventId, Message, ResumeFrom, Sse, SseBody, SseError, SseHeaders,
    Subscription, Topics, events,
};

sse_conformance::adapter_suite!(SUBJECT);

/// For a handler whose error is any error.
const _: fn(SseError) -> Box<dyn std::error::Error + Send + Sync> = |error| error.into();

const SUBJECT: Subject = Subject {
    serve,
    sees_non_utf8_headers: false,
    cuts_off_panics: false,
};

#[get("/events")]
async fn topics_from_query(
    hub: &State<Hub>,
    last: LastEventId,
    uri: &Origin<'_>,
) -> Result<Sse, SseError> {
    let topics = Topics::from_query(uri.query().map(|query| query.as_str()));
    let subscription = Subscription::to(topics).resume_from(last.0);
    Ok(Sse(hub.subscribe(subscription).await?))
}

#[get("/status")]
async fn refused_by_status(hub: &State<Hub>, last: LastEventId) -> Result<Sse, SseError> {
    let subscription = Subscription::to(()).resume_from(last.0);
    let subscribed = hub.subscribe(subscription).await;
    Ok(Sse(subscribed.map_err(SseError::with_status)?))
}

#[get("/stream")]
fn stream_of_its_own() -> Sse {
    Sse(SseBody::stream(stream::iter(
        ["0", "1", "2"].map(Message::data),
    )))
}

#[get("/panic")]
fn panics() -> Sse {
    Sse(SseBody::stream(panicking()))
}

#[get("/channel")]
fn channel(hub: &State<Hub>) -> Sse {
    let (sender, body) = SseBody::channel(2);
    tokio::spawn(produce(sender));
    Sse(body.keep_alive(CHANNEL_KEEP_ALIVE).until(hub.closed()))
}

#[get("/greeted")]
async fn greeted(hub: &State<Hub>) -> Result<Sse, SseError> {
    hub.publish(Message::data("hello"), ()).await?;
    let everything = Subscription::default().resume_from(ResumeFrom::Earliest);
    Ok(Sse(hub.subscribe(everything).await?))
}

type Own = ReaderStream<One<Cursor<&'static str>>>;

#[get("/own")]
fn own() -> Own {
    ReaderStream::one(Cursor::new("data: own\n\n"))
}

#[get("/own/refused")]
fn own_refused() -> (Status, Own) {
    (Status::Forbidden, ReaderStream::one(Cursor::new("no")))
}

#[derive(Responder)]
struct Cached<R>(R, Header<'static>);

#[get("/own/cached")]
fn own_cached() -> Cached<Own> {
    Cached(own(), Header::new("cache-control", "no-store"))
}

#[get("/plain")]
fn plain() -> &'static str {
    "plain"
}

fn app(hub: Hub) -> Rocket<Build> {
    rocket::build()
        .attach(HubFairing(hub.clone()))
        .attach(SseHeaders)
        .mount(
            "/",
            routes![
                topics_from_query,
                refused_by_status,
                stream_of_its_own,
                channel,
                panics,
                greeted
            ],
        )
        .mount("/", routes![own, own_refused, own_cached, plain])
        .mount("/news", events(hub.clone(), "news"))
        // Rocket has no compression.
        .mount("/compressed", events(hub, ()))
}

fn serve(listener: TcpListener, hub: Hub, stop: Stop) {
    let address = listener.local_addr().unwrap();
    rocket::execute(async {
        // Rocket binds the port itself. Until then it is kept from everybody else, without
        // listening.
        drop(listener);
        let reserved = TcpSocket::new_v4().unwrap();
        reserved.set_reuseaddr(true).unwrap();
        reserved.bind(address).unwrap();
        let config = Config {
            address: address.ip(),
            port: address.port(),
            log_level: LogLevel::Off,
            shutdown: Shutdown {
                ctrlc: false,
                signals: HashSet::new(),
                grace: 1,
                ..Shutdown::default()
            },
            ..Config::debug_default()
        };
        let (listens, listening) = oneshot::channel();
        let listens =
            AdHoc::on_liftoff("listens", |_| Box::pin(async { listens.send(()).unwrap() }));
        let rocket = app(hub).configure(config).attach(listens);
        let rocket = rocket.ignite().await.unwrap();
        let shutdown = rocket.shutdown();
        tokio::spawn(async {
            // The suite connects once `stop` is polled.
            listening.await.unwrap();
            stop.await;
            shutdown.notify();
        });
        rocket.launch().await.unwrap();
    });
}
