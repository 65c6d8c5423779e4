//! The page that all example apps serve, and the parts of these apps that are about neither event
//! streams nor a framework: the address, and a clock to publish.

use std::{env, fmt::Display, time::Duration};

use jiff::Timestamp;
use sse_core::{EventType, Hub, Message};
use tokio::{net::TcpListener, time};

/// The page: it shows what it receives, and publishes.
pub const PAGE: &str = include_str!("../index.html");

/// The most subscribers. A connection takes 20 to 500 KiB in a framework, and a client that has
/// left counts until the framework notices.
pub const MOST_CLIENTS: usize = 10_000;

const CLOCK: EventType = EventType::from_static("clock");

/// Publishes the time on topic `clock` every second, until the hub is shut down.
pub async fn publish_the_time(hub: Hub) {
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

/// Listens on [`address`].
///
/// # Errors
///
/// The text of [`cannot_listen`].
pub async fn listen() -> Result<TcpListener, String> {
    let listener = TcpListener::bind(address()).await;
    listener.map_err(|error| cannot_listen(&error))
}

/// Returns the address that the variable `ADDR` names, by default `127.0.0.1:3000`.
pub fn address() -> String {
    env::var("ADDR").unwrap_or_else(|_| "127.0.0.1:3000".to_owned())
}

/// Returns the text of an app that cannot listen on its [`address`].
pub fn cannot_listen(error: &dyn Display) -> String {
    let address = address();
    format!("cannot listen on {address}: {error}; set ADDR to another address")
}
