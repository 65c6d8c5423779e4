//! The example app on axum. Copy it and `examples/page` out and go on from there.
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
    body::Bytes,
    extract::{RawQuery, State},
    http::StatusCode,
    response::Html,
    routing::{get, post},
    serve::ListenerExt,
};
use serde_json::{Value, json};
use sse_axum::{
    FiniteReplayer, Hub, Joe, LastEventId, Sse, SseError, Subscription, Topics,
    sse_core::response::Post,
};
use sse_store::Store;

/// The time for which clients that do not read, or that never finish a request, may hold up the end
/// of the process.
const GRACE: Duration = Duration::from_secs(1);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let joe = match &arguments[..] {
        [] => Joe::builder().replayer(FiniteReplayer::new(1_000)),
        [option, directory] if option == "--store" => Joe::builder().replayer(store(directory)?),
        _ => return Err("usage: example-axum [--store DIR]".into()),
    };
    let hub = Hub::new(joe.max_subscribers(example_page::MOST_CLIENTS).build());
    tokio::spawn(example_page::publish_the_time(hub.clone()));

    let listener = example_page::listen().await?;
    println!("listening on http://{}", listener.local_addr()?);
    // Or a small message waits until the client has acknowledged the one before.
    let listener = listener.tap_io(|tcp| _ = tcp.set_nodelay(true));
    let server =
        axum::serve(listener, app(hub.clone())).with_graceful_shutdown(hub.shutdown_on_signals());
    tokio::select! {
        result = server => result?,
        () = hub.closed_for(GRACE) => {}
    }
    Ok(())
}

/// Opens the history in a directory: the last 1,000 messages, and up to 400 more.
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
        .route("/", get(|| async { Html(example_page::PAGE) }))
        .route("/events", get(events))
        .route("/publish", post(publish))
        .with_state(hub)
}

/// Streams the topics in the query, from where the client was. Anyone may read anything here.
async fn events(
    State(hub): State<Hub>,
    LastEventId(last): LastEventId,
    RawQuery(query): RawQuery,
) -> Result<Sse, SseError> {
    let topics = Topics::from_query(query.as_deref());
    let subscription = Subscription::to(topics).resume_from(last);
    Ok(Sse(hub.subscribe(subscription).await?))
}

/// Publishes the body, from anyone. A real application checks who may publish, and `Origin` and
/// `Host` as well: against posts from the pages of other sites and against DNS rebinding.
async fn publish(
    State(hub): State<Hub>,
    RawQuery(query): RawQuery,
    data: Bytes,
) -> Result<(StatusCode, Json<Value>), SseError> {
    let Post { message, topics } = Post::from_request(query.as_deref(), &data)?;
    let published = hub.publish(message, topics).await?;
    let id = published.id.map(String::from);
    Ok((StatusCode::ACCEPTED, Json(json!({ "id": id }))))
}
