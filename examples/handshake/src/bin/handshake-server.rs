//! The smallest server: a request for `/` greets everyone who listens to `/handshake`.
//!
//! ```text
//! cargo run -p example-handshake --bin handshake-server
//! cargo run -p example-handshake --bin handshake-client      # in other terminals
//! curl http://127.0.0.1:3000/                                # each client prints: hello number 1
//! ```
//!
//! `ADDR` is another address for both. Ctrl-C ends the streams, then the process; clients come back
//! when it is started again.

use std::{
    env,
    error::Error,
    sync::atomic::{AtomicU64, Ordering},
};

use axum::{Router, extract::State, routing::get, serve::ListenerExt};
use sse_axum::{Hub, Joe, Message, SseError, events};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let hub = Hub::new(Joe::new());
    let app = Router::new()
        .route("/handshake", get(events(hub.clone(), "handshake")))
        .route("/", get(greet))
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

async fn greet(State(hub): State<Hub>) -> Result<String, SseError> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed) + 1;
    let text = format!("hello number {count}");
    hub.publish(Message::data(text.as_str()), "handshake")
        .await?;
    Ok(format!("sent: {text}\n"))
}
