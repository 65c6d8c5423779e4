//! The example app on axum. Copy it and the page out and go on from there.
//!
//! ```text
//! cargo run --release -p example-axum
//! curl -N 'http://127.0.0.1:3000/events?topic=news'
//! curl -d 'hello' 'http://127.0.0.1:3000/publish?topic=news'
//! ```
//!
//! With a store its clients continue where they were, even after `kill -9`:
//!
//! ```text
//! cargo run --release -p example-axum -- --store DIR
//! ```

use std::{
    env,
    error::Error,
    ffi::{OsStr, OsString},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::{
        Query, RawQuery, State,
        rejection::{QueryRejection, StringRejection},
    },
    http::StatusCode,
    response::{Html, IntoResponse, Response},
    routing::{get, post},
    serve::ListenerExt,
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use sse_axum::{
    EventId, EventType, FiniteReplayer, Hub, Joe, LastEventId, Message, PublishError, Rejection,
    Sse, Subscription, Topics,
};
use sse_store::Store;
use tokio::{net::TcpListener, time};

/// How long clients that do not read may hold up the end of the process.
const GRACE: Duration = Duration::from_secs(1);

const CLOCK: EventType = EventType::from_static("clock");

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let joe = match &arguments[..] {
        [] => Joe::builder().replayer(FiniteReplayer::new(1_000)),
        [option, directory] if option == "--store" => Joe::builder().replayer(store(directory)?),
        _ => return Err("usage: example-axum [--store DIR]".into()),
    };
    let hub = Hub::new(joe.build());
    tokio::spawn(publish_the_time(hub.clone()));

    let address = env::var("ADDR").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(&address).await.map_err(|error| {
        format!("cannot listen on {address}: {error}; set ADDR to another address")
    })?;
    println!("listening on http://{}", listener.local_addr()?);

    // Or a small message waits until the client has acknowledged the one before.
    let listener = listener.tap_io(|tcp| _ = tcp.set_nodelay(true));
    let server = axum::serve(listener, app(hub.clone()))
        .with_graceful_shutdown(hub.shutdown_on(stop_signal()));
    tokio::select! {
        result = server => result?,
        () = async { hub.closed().await; time::sleep(GRACE).await } => {}
    }
    Ok(())
}

/// The history in a directory: the last 1,000 messages, and up to 400 more.
fn store(directory: &OsStr) -> Result<Store, Box<dyn Error>> {
    let options = Store::at(directory).max_messages(1_400); // at least three quarters are there
    let store = options.open()?;
    if let Some(lost) = store.lost() {
        eprintln!("{} has lost messages: {lost:?}", store.path().display());
    }
    Ok(store)
}

fn app(hub: Hub) -> Router {
    Router::new()
        .route(
            "/",
            get(|| async { Html(include_str!("../../page/index.html")) }),
        )
        .route("/events", get(events))
        .route("/publish", post(publish))
        .with_state(hub)
}

/// The stream of the topics in the query, from where the client was. Anyone may read anything here.
async fn events(
    State(hub): State<Hub>,
    LastEventId(last): LastEventId,
    RawQuery(query): RawQuery,
) -> Result<Sse, Rejection> {
    let topics = Topics::from_query(query.as_deref());
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
async fn publish(
    State(hub): State<Hub>,
    RawQuery(query): RawQuery,
    fields: Result<Query<Fields>, QueryRejection>,
    data: Result<String, StringRejection>,
) -> Result<Response, Refused> {
    let Query(fields) = fields?;
    let mut message = Message::data(data?);
    if let Some(id) = fields.id {
        message = message.id(id);
    }
    if let Some(event) = fields.event {
        message = message.event(event);
    }
    let published = hub
        .publish(message, Topics::from_query(query.as_deref()))
        .await?;
    let id = published.id.map(String::from);
    Ok((StatusCode::ACCEPTED, Json(json!({ "id": id }))).into_response())
}

/// Why nothing was published, as JSON.
struct Refused(StatusCode, String);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

impl From<QueryRejection> for Refused {
    fn from(rejection: QueryRejection) -> Self {
        Self(rejection.status(), rejection.body_text())
    }
}

impl From<StringRejection> for Refused {
    fn from(rejection: StringRejection) -> Self {
        Self(rejection.status(), rejection.body_text())
    }
}

impl From<PublishError> for Refused {
    fn from(error: PublishError) -> Self {
        let status =
            StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self(status, error.public_text())
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
