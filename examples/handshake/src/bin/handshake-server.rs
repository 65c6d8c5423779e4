//! The smallest server: a post to `/` greets everyone who listens to `/handshake`.
//!
//! ```text
//! cargo run -p example-handshake --bin handshake-server
//! cargo run -p example-handshake --bin handshake-client      # in other terminals
//! curl -X POST http://127.0.0.1:3000/                        # each client prints: hello number 1
//! ```
//!
//! A GET of `/` is a page with a button. It must not publish: browsers fetch pages in advance, and
//! any page of another site can hold an image with this address. A post can come from another site,
//! too; a real application checks `Origin` and who may publish.
//!
//! `ADDR` is another address for both. Ctrl-C ends the streams, then the process; clients come back
//! when it is started again.

use std::{
    env,
    error::Error,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use axum::{Router, extract::State, response::Html, routing::get, serve::ListenerExt};
use sse_axum::{Hub, Joe, Message, SseError, events};
use tokio::net::TcpListener;

/// The time for which a client that never finishes its request may hold up the end of the process.
const GRACE: Duration = Duration::from_secs(1);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let hub = Hub::new(Joe::new());
    let app = Router::new()
        .route("/handshake", get(events(hub.clone(), "handshake")))
        .route("/", get(page).post(greet))
        .with_state(hub.clone());

    let address = env::var("ADDR").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(&address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    // Or a small message waits until the client has acknowledged the one before.
    let listener = listener.tap_io(|tcp| _ = tcp.set_nodelay(true));
    let server = axum::serve(listener, app).with_graceful_shutdown(hub.shutdown_on_signals());
    tokio::select! {
        result = server => result?,
        () = hub.closed_for(GRACE) => {}
    }
    Ok(())
}

async fn page() -> Html<&'static str> {
    Html(
        "<!doctype html><title>Handshake</title><form method=post><button>Say hello</button></form>",
    )
}

async fn greet(State(hub): State<Hub>) -> Result<String, SseError> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed) + 1;
    let text = format!("hello number {count}");
    hub.publish(Message::data(text.as_str()), "handshake")
        .await?;
    Ok(format!("sent: {text}\n"))
}
