//! The example app on Rocket. Copy it and `examples/page` out and go on from there.
//!
//! ```text
//! cargo run --release -p example-rocket
//! curl -N 'http://127.0.0.1:3000/events?topic=news'
//! curl -d 'hello' 'http://127.0.0.1:3000/publish?topic=news'
//! ```

use std::{
    error::Error,
    net::{SocketAddr, ToSocketAddrs},
    time::Duration,
};

use example_page::{address, cannot_listen};
use rocket::{
    Build, Config, Rocket, State,
    config::{Ident, LogLevel, Shutdown},
    data::{Limits, ToByteUnit},
    fairing::AdHoc,
    get,
    http::{Status, uri::Origin},
    post,
    response::content::RawHtml,
    routes,
    serde::json::{Value, json},
    shield::Shield,
    tokio,
};
use sse_rocket::{
    FiniteReplayer, Hub, HubFairing, Joe, LastEventId, Sse, SseError, Subscription, Topics,
    sse_core::response::Post,
};

/// The time for which clients that do not read, or that never finish a request, may hold up the end
/// of the process.
const GRACE: Duration = Duration::from_secs(1);

#[rocket::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let joe = Joe::builder().replayer(FiniteReplayer::new(1_000));
    let hub = Hub::new(joe.max_subscribers(example_page::MOST_CLIENTS).build());
    tokio::spawn(example_page::publish_the_time(hub.clone()));

    let addresses = address().to_socket_addrs();
    let mut addresses = addresses.map_err(|error| cannot_listen(&error))?;
    let config = config(addresses.next().ok_or("ADDR is no address")?);
    // Stops on Ctrl-C and SIGTERM by itself.
    let server = app(hub.clone()).configure(config).launch();
    tokio::select! {
        result = server => {
            result.map_err(|error| cannot_listen(error.kind()))?;
        }
        () = hub.closed_for(GRACE) => {}
    }
    Ok(())
}

fn config(address: SocketAddr) -> Config {
    Config {
        address: address.ip(),
        port: address.port(),
        limits: Limits::default().limit("bytes", 2.mebibytes()),
        shutdown: Shutdown {
            // Rocket waits all of it for connections that were open, so no longer than `GRACE`.
            grace: 1,
            ..Shutdown::default()
        },
        log_level: LogLevel::Off,
        // No headers but those of the other four, so no `Shield` either: leave both lines out to
        // have them back.
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
    RawHtml(example_page::PAGE)
}

/// Streams the topics in the query, from where the client was. Anyone may read anything here.
#[get("/events")]
async fn events(hub: &State<Hub>, last: LastEventId, uri: &Origin<'_>) -> Result<Sse, SseError> {
    let topics = Topics::from_query(query(uri));
    let subscription = Subscription::to(topics).resume_from(last.0);
    Ok(Sse(hub.subscribe(subscription).await?))
}

/// Publishes the body, from anyone. A real application checks who may publish, and `Origin` and
/// `Host` as well: against posts from the pages of other sites and against DNS rebinding.
#[post("/publish", data = "<data>")]
async fn publish(
    hub: &State<Hub>,
    uri: &Origin<'_>,
    data: Vec<u8>,
) -> Result<(Status, Value), SseError> {
    let Post { message, topics } = Post::from_request(query(uri), &data)?;
    let published = hub.publish(message, topics).await?;
    let id = published.id.map(String::from);
    Ok((Status::Accepted, json!({ "id": id })))
}

fn query<'a>(uri: &'a Origin<'_>) -> Option<&'a str> {
    Some(uri.query()?.as_str())
}
