//! The example app on poem. Copy it and the page out and go on from there.
//!
//! ```text
//! cargo run --release -p example-poem
//! curl -N 'http://127.0.0.1:3000/events?topic=news'
//! curl -d 'hello' 'http://127.0.0.1:3000/publish?topic=news'
//! ```

use std::{env, error::Error, time::Duration};

use jiff::Timestamp;
use poem::{
    Body, Endpoint, EndpointExt, IntoResponse, Response, Route, Server, get, handler,
    http::{StatusCode, Uri},
    listener::TcpAcceptor,
    post,
    web::{Data, Html, Query},
};
use serde::Deserialize;
use serde_json::{Value, json};
use socket2::SockRef;
use sse_poem::{
    EventId, EventType, FiniteReplayer, Hub, Joe, LastEventId, Message, Rejection, Sse,
    Subscription, Topics,
};
use tokio::{net::TcpListener, time};

/// How long clients that do not read may hold up the end of the process.
const GRACE: Duration = Duration::from_secs(1);

/// The most bytes that one publish may have; poem has no limit of its own.
const LIMIT: usize = 2 << 20;

const CLOCK: EventType = EventType::from_static("clock");

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let hub = Hub::new(Joe::builder().replayer(FiniteReplayer::new(1_000)).build());
    tokio::spawn(publish_the_time(hub.clone()));

    let address = env::var("ADDR").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(&address).await.map_err(|error| {
        format!("cannot listen on {address}: {error}; set ADDR to another address")
    })?;
    // Connections inherit it. Without it a small message waits until the client has acknowledged
    // the one before.
    SockRef::from(&listener).set_tcp_nodelay(true)?;
    println!("listening on http://{}", listener.local_addr()?);

    let server = Server::new_with_acceptor(TcpAcceptor::from_tokio(listener)?)
        .run_with_graceful_shutdown(app(hub.clone()), hub.shutdown_on(stop_signal()), None);
    tokio::select! {
        result = server => result?,
        () = async { hub.closed().await; time::sleep(GRACE).await } => {}
    }
    Ok(())
}

fn app(hub: Hub) -> impl Endpoint + 'static {
    Route::new()
        .at("/", get(page))
        .at("/events", get(events))
        .at("/publish", post(publish.catch_all_error(refused)))
        .data(hub)
}

#[handler]
fn page() -> Html<&'static str> {
    Html(include_str!("../../page/index.html"))
}

/// The stream of the topics in the query, from where the client was. Anyone may read anything here.
#[handler]
async fn events(
    Data(hub): Data<&Hub>,
    LastEventId(last): LastEventId,
    uri: &Uri,
) -> Result<Sse, Rejection> {
    let topics = Topics::from_query(uri.query());
    Ok(Sse::new(
        hub.subscribe(Subscription::to(topics).resume_from(last))
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
#[handler]
async fn publish(
    Data(hub): Data<&Hub>,
    uri: &Uri,
    Query(fields): Query<Fields>,
    data: Body,
) -> poem::Result<Response> {
    let data = String::from_utf8(data.into_bytes_limit(LIMIT).await?.into())
        .map_err(|_| poem::Error::from_string("the body is not UTF-8", StatusCode::BAD_REQUEST))?;
    let mut message = Message::data(data);
    if let Some(id) = fields.id {
        message = message.id(id);
    }
    if let Some(event) = fields.event {
        message = message.event(event);
    }
    let published = hub
        .publish(message, Topics::from_query(uri.query()))
        .await
        .map_err(|error| {
            let status = StatusCode::from_u16(error.status());
            let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            poem::Error::from_string(error.public_text(), status)
        })?;
    let id = published.id.map(String::from);
    Ok(json_response(StatusCode::ACCEPTED, &json!({ "id": id })))
}

/// Why nothing was published, as JSON.
async fn refused(error: poem::Error) -> Response {
    json_response(error.status(), &json!({ "error": error.to_string() }))
}

fn json_response(status: StatusCode, value: &Value) -> Response {
    value
        .to_string()
        .with_content_type("application/json")
        .with_status(status)
        .into_response()
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

/// Ready at Ctrl-C or SIGTERM.
async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
