//! A provider of your own behind an axum server.
//!
//! ```text
//! cargo run -p example-custom-provider
//! curl -N 'http://127.0.0.1:3000/events?topic=news'
//! curl -d 'hello' 'http://127.0.0.1:3000/publish?topic=news'
//! ```
//!
//! The first prints a comment at once and `data: hello` after the second. With the option
//! `-H 'Last-Event-ID: 1'` it begins with `event: gap`, because this provider has no history. Only
//! the first line of `main` knows which provider it is.

use std::{env, error::Error};

use axum::{
    Router,
    extract::{RawQuery, State},
    http::StatusCode,
    routing::{get, post},
    serve::ListenerExt,
};
use example_custom_provider::{Broadcast, MESSAGE_BYTES};
use sse_axum::{Hub, LastEventId, Message, Sse, SseError, Subscription, Topics};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let hub = Hub::builder(Broadcast::new(1_024))
        .message_bytes(MESSAGE_BYTES)
        .build();
    let app = Router::new()
        .route("/events", get(events))
        .route("/publish", post(publish))
        .with_state(hub.clone());

    let address = env::var("ADDR").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(&address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    // Or a small message waits until the client has acknowledged the one before.
    let listener = listener.tap_io(|tcp| _ = tcp.set_nodelay(true));
    axum::serve(listener, app)
        .with_graceful_shutdown(hub.shutdown_on_signals())
        .await?;
    Ok(())
}

async fn events(
    State(hub): State<Hub>,
    LastEventId(last): LastEventId,
    RawQuery(query): RawQuery,
) -> Result<Sse, SseError> {
    let topics = Topics::from_query(query.as_deref());
    let subscription = Subscription::to(topics).resume_from(last);
    Ok(Sse(hub.subscribe(subscription).await?))
}

async fn publish(
    State(hub): State<Hub>,
    RawQuery(query): RawQuery,
    data: String,
) -> Result<StatusCode, SseError> {
    let topics = Topics::from_query(query.as_deref());
    hub.publish(Message::data(data), topics).await?;
    Ok(StatusCode::ACCEPTED)
}
