//! The example app on Rocket. Copy it and the page out and go on from there.
//!
//! ```text
//! cargo run --release -p example-rocket
//! curl -N 'http://127.0.0.1:3000/events?topic=news'
//! curl -d 'hello' 'http://127.0.0.1:3000/publish?topic=news'
//! ```

use std::{
    env,
    error::Error,
    fmt::Display,
    io::{self, ErrorKind},
    net::{SocketAddr, ToSocketAddrs},
    time::Duration,
};

use jiff::Timestamp;
use rocket::{
    Build, Config, Request, Rocket, State,
    config::{Ident, LogLevel, Shutdown},
    data::{Limits, ToByteUnit},
    fairing::AdHoc,
    get,
    http::{Status, uri::Origin},
    post,
    response::{self, Responder, content::RawHtml},
    routes,
    serde::json::{Value, json},
    shield::Shield,
    tokio::{self, time},
};
use serde::Deserialize;
use sse_rocket::{
    EventId, EventType, FiniteReplayer, Hub, HubFairing, Joe, LastEventId, Message, PublishError,
    Rejection, Sse, Subscription, Topics,
};

/// How long clients that do not read may hold up the end of the process.
const GRACE: Duration = Duration::from_secs(1);

const CLOCK: EventType = EventType::from_static("clock");

#[rocket::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let hub = Hub::new(Joe::builder().replayer(FiniteReplayer::new(1_000)).build());
    tokio::spawn(publish_the_time(hub.clone()));

    let address = env::var("ADDR").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let cannot_listen = |error: &dyn Display| {
        format!("cannot listen on {address}: {error}; set ADDR to another address")
    };
    let mut addresses = address
        .to_socket_addrs()
        .map_err(|error| cannot_listen(&error))?;
    let config = config(addresses.next().ok_or("ADDR is no address")?);

    // Stops on Ctrl-C and SIGTERM by itself.
    let server = app(hub.clone()).configure(config).launch();
    tokio::select! {
        result = server => {
            result.map_err(|error| cannot_listen(error.kind()))?;
        }
        () = async { hub.closed().await; time::sleep(GRACE).await } => {}
    }
    Ok(())
}

fn config(address: SocketAddr) -> Config {
    Config {
        address: address.ip(),
        port: address.port(),
        limits: Limits::default().limit("string", 2.mebibytes()),
        shutdown: Shutdown {
            // Rocket waits all of it for connections that were open, so no longer than `GRACE`.
            grace: 1,
            ..Shutdown::default()
        },
        log_level: LogLevel::Off,
        // No headers but those of the other four, so no `Shield` either: leave both lines out to have them back.
        ident: Ident::none(),
        ..Config::default()
    }
}

fn app(hub: Hub) -> Rocket<Build> {
    rocket::build()
        .attach(Shield::new())
        .attach(HubFairing(hub))
        .attach(AdHoc::on_liftoff("address", |rocket| {
            Box::pin(async {
                let Config { address, port, .. } = *rocket.config();
                println!("listening on http://{}", SocketAddr::new(address, port));
            })
        }))
        .mount("/", routes![page, events, publish])
}

#[get("/")]
fn page() -> RawHtml<&'static str> {
    RawHtml(include_str!("../../page/index.html"))
}

/// The stream of the topics in the query, from where the client was. Anyone may read anything here.
#[get("/events")]
async fn events(hub: &State<Hub>, last: LastEventId, uri: &Origin<'_>) -> Result<Sse, Rejection> {
    let topics = Topics::from_query(query(uri));
    Ok(Sse::new(
        hub.subscribe(Subscription::to(topics).resume_from(last.0))
            .await?,
    ))
}

/// What the query of a publish may say beside its topics. The types refuse what would break a stream.
#[derive(Deserialize)]
struct Fields {
    id: Option<EventId>,
    event: Option<EventType>,
}

/// Publishes the body, from anyone. A real application checks who may publish, and `Origin` and
/// `Host` as well: against posts from the pages of other sites and against DNS rebinding.
#[post("/publish", data = "<data>")]
async fn publish(
    hub: &State<Hub>,
    uri: &Origin<'_>,
    data: io::Result<String>,
) -> Result<(Status, Value), Refused> {
    let fields: Fields = serde_urlencoded::from_str(query(uri).unwrap_or_default())?;
    let mut message = Message::data(data?);
    if let Some(id) = fields.id {
        message = message.id(id);
    }
    if let Some(event) = fields.event {
        message = message.event(event);
    }
    let published = hub.publish(message, Topics::from_query(query(uri))).await?;
    let id = published.id.map(String::from);
    Ok((Status::Accepted, json!({ "id": id })))
}

fn query<'a>(uri: &'a Origin<'_>) -> Option<&'a str> {
    Some(uri.query()?.as_str())
}

/// Why nothing was published, as JSON.
struct Refused(Status, String);

impl<'r> Responder<'r, 'static> for Refused {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        (self.0, json!({ "error": self.1 })).respond_to(request)
    }
}

impl From<serde_urlencoded::de::Error> for Refused {
    fn from(error: serde_urlencoded::de::Error) -> Self {
        Self(Status::BadRequest, error.to_string())
    }
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::InvalidData => Self(Status::BadRequest, "the body is not UTF-8".to_owned()),
            ErrorKind::UnexpectedEof => Self(Status::PayloadTooLarge, error.to_string()),
            _ => Self(Status::BadRequest, error.to_string()),
        }
    }
}

impl From<PublishError> for Refused {
    fn from(error: PublishError) -> Self {
        Self(Status::new(error.status()), error.public_text())
    }
}

/// A message on topic `clock` every second, until the hub is shut down.
async fn publish_the_time(hub: Hub) {
    loop {
        // At the full second, so that none is shown twice or left out.
        let past = Timestamp::now().subsec_nanosecond().unsigned_abs();
        time::sleep(Duration::from_secs(1).saturating_sub(Duration::from_nanos(past.into()))).await;
        let now = Timestamp::now().strftime("%FT%TZ").to_string();
        let message = Message::data(now).event(CLOCK);
        if hub.publish(message, "clock").await.is_err() {
            return;
        }
    }
}
