//! The smallest server: says hello every second to everyone who listens.
//!
//! ```text
//! cargo run -p example-client --bin hello-server
//! cargo run -p example-client --bin hello-client      # in another terminal, any number of them
//! ```
//!
//! `ADDR` is another address. Ctrl-C ends the streams, then the process; clients come back when the
//! server is started again.

use std::{env, error::Error, time::Duration};

use axum::{Router, routing::get, serve::ListenerExt};
use sse_axum::{Hub, Joe, Message, events};
use tokio::{net::TcpListener, time};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let hub = Hub::new(Joe::new());
    let app = Router::new().route("/events", get(events(hub.clone(), ())));
    tokio::spawn(say_hello(hub.clone()));

    let address = env::var("ADDR").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(&address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    // Otherwise a small message waits until the client has acknowledged the one before.
    let listener = listener.tap_io(|tcp| _ = tcp.set_nodelay(true));
    axum::serve(listener, app)
        .with_graceful_shutdown(hub.shutdown_on(tokio::signal::ctrl_c()))
        .await?;
    Ok(())
}

async fn say_hello(hub: Hub) {
    let mut seconds = time::interval(Duration::from_secs(1));
    loop {
        seconds.tick().await;
        if hub.publish(Message::data("Hello world"), ()).await.is_err() {
            return; // the hub was shut down
        }
    }
}
